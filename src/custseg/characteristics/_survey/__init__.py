"""Answers to a questionnaire: scales, their reliability, factors, careless answers, choices, ranks and best-worst."""
