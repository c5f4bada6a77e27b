"""What each goal asks of the segments of the RFM presets: their names say already what they are.

An effect against everyone else cannot tell these segments apart: *Lost* holds most of the silence there is, and beside
it *At Risk* looks lively. So each name has an action of its own under each goal.
"""

from __future__ import annotations

from collections.abc import Mapping

from custseg.targeting._facts import ActionRule

__all__ = ["NAMED", "by_name"]

# The name that the R package rfm gives to one of the eleven.
_ALSO = {"Potential Loyalist": "Potential Loyalists"}

NAMED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "retention": {
        "Champions": ("Protect", "Reward them with service and first access rather than with discounts."),
        "Loyal Customers": ("Reward loyalty", "Thank them with a status or a service that a discount does not buy."),
        "Potential Loyalists": ("Bind", "Offer a loyalty programme or a subscription with the next purchase."),
        "New Customers": ("Welcome", "Send a welcome series that helps with what they bought and leads to the next."),
        "Promising": ("Invite the second purchase", "Show what goes with what they bought, soon after they bought it."),
        "Need Attention": ("Win back early", "Make a limited offer on what they used to buy before the silence grows."),
        "About To Sleep": ("Wake up", "Send a reminder with what is new, and one offer if it goes unanswered."),
        "Can't Lose Them": (
            "Win back first",
            "Contact them personally and ask what went wrong; measure the return against a control group.",
        ),
        "At Risk": (
            "Win back",
            "Write to them with an offer on what they used to buy; measure the return against a control group.",
        ),
        "Hibernating": ("Reactivate at low cost", "Send one automated offer, and nothing dearer."),
        "Lost": ("Try once, then stop", "Send one last message, and write no more to those who do not answer."),
    },
    "acquisition": {
        "Champions": (
            "Find look-alikes and ask for referrals",
            "Use them as the seed of a prospect search and reward referrals.",
        ),
        "Loyal Customers": ("Ask for referrals", "Reward each friend of theirs who buys."),
        "Potential Loyalists": ("Ask for reviews", "Ask for a review that new customers can read before they buy."),
        "New Customers": ("Ask how they came", "Ask through which channel they came, and count who of them returns."),
        "Promising": (
            "Wait for the second purchase",
            "Count by channel who buys again before more like them are sought.",
        ),
        "Need Attention": ("Ask what is missing", "Ask what they miss before it is promised to new customers."),
        "About To Sleep": ("Leave out of the search", "Use nobody as a seed who may be leaving."),
        "Can't Lose Them": (
            "Learn from their best time",
            "Seek prospects like them as they were when they bought; ask for no referrals before they are back.",
        ),
        "At Risk": ("Settle first", "Ask for no referrals before it is known why they stay away."),
        "Hibernating": (
            "Compare the channels",
            "Compare the channels that brought them by what these bring in.",
        ),
        "Lost": (
            "Exclude from the search",
            "Exclude prospects who resemble them from the search, and test what that saves.",
        ),
    },
    "development": {
        "Champions": ("Develop with them", "Invite them to tests, offer first access and premium variants."),
        "Loyal Customers": ("Grow the basket", "Offer bundles and complements at the point of purchase."),
        "Potential Loyalists": ("Recommend the next", "Recommend what loyal customers bought after the same purchase."),
        "New Customers": ("Ask about the first purchase", "Ask what they were looking for and did not find."),
        "Promising": ("Offer a trial", "Let them try a second category at no risk."),
        "Need Attention": (
            "Test what is new with them",
            "Show them new products first, and see whether these bring them back.",
        ),
        "About To Sleep": ("Ask what is missing", "Interview a few on what they would come back for."),
        "Can't Lose Them": ("Ask where they buy now", "Interview them personally on what they buy elsewhere, and why."),
        "At Risk": ("Ask what changed", "Interview a few on what changed since they bought often."),
        "Hibernating": (
            "Build nothing for them",
            "Develop for those who buy, and tell these when something new is there.",
        ),
        "Lost": ("Learn from the loss", "Ask a sample why they left, and mend that before anything is built."),
    },
    "pricing": {
        "Champions": ("Test a premium price", "Test a higher-priced variant before any discount."),
        "Loyal Customers": (
            "Reward volume",
            "Test a price for regular buyers, such as a subscription, against the list price.",
        ),
        "Potential Loyalists": ("Test a bundle price", "Test a price for two things together against the list price."),
        "New Customers": ("Hold the price", "Leave the price of the first purchase as it was until they buy again."),
        "Promising": ("Test an entry price", "Test a smaller pack or an entry price for the second purchase."),
        "Need Attention": ("Test a limited offer", "Test a price that ends on a day against the list price."),
        "About To Sleep": (
            "Test a coupon",
            "Test a small coupon for the next purchase against a reminder without one.",
        ),
        "Can't Lose Them": (
            "Ask about the price",
            "Ask personally whether the price made them stay away before it is cut.",
        ),
        "At Risk": ("Test a price to return", "Test a discount for one purchase against a reminder without one."),
        "Hibernating": ("Test a clearance price", "Offer them what is to be cleared, and nothing at a loss."),
        "Lost": ("Cut no price for them", "Ask a sample whether the price drove them away."),
    },
    "advertising": {
        "Champions": ("Let them speak", "Ask them for reviews and stories that advertisements can show."),
        "Loyal Customers": ("Direct channel", "Use mail, app and newsletter, and leave them out of paid campaigns."),
        "Potential Loyalists": (
            "Direct channel, next step",
            "Advertise the loyalty programme where they are met already.",
        ),
        "New Customers": (
            "Stop the first campaign",
            "Exclude them from advertisements for what they have just bought.",
        ),
        "Promising": ("Follow up", "Show them what goes with their purchase, for a limited time."),
        "Need Attention": ("Retarget", "Show them what they used to buy, with a limit to how often."),
        "About To Sleep": ("Remind", "Show what is new through the cheapest channel that reaches them."),
        "Can't Lose Them": ("Personal contact", "Call or write personally rather than by an advertisement."),
        "At Risk": ("Narrow channel, full message", "Address them directly, with a message on what they used to buy."),
        "Hibernating": ("Reach along the way", "Make no campaign of their own; let broad ones reach them."),
        "Lost": ("Exclude", "Exclude them from paid campaigns, and test what that costs."),
    },
}
"""Goal to name to action and advice."""


def by_name(goal: str) -> dict[str, ActionRule]:
    """Return the action of each name under a goal."""
    own = NAMED[goal]
    names = {name: name for name in own} | _ALSO
    return {name: ActionRule(*own[meant]) for name, meant in names.items()}
