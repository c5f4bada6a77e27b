"""Who the customers are: age, income, household and what else a profile declares, with implausible values counted."""
