"""Contacts with customers other than purchases: campaigns, steps on the way to a purchase, posts in social media."""
