"""One vocabulary: every public parameter name has one meaning, said here, and parameters stand in one order.

A new parameter that is not in the table fails, and so does a row that nothing uses any more. Before a row is added:
is there a name for this already?
"""

import collections
import dataclasses
import inspect

import pytest

import custseg
from tests.common.discovery import estimator_classes, public_classes, public_functions

# The five groups of an estimator's parameters, in their order. Within a group the order is free, but that
# customer_id comes first of all that is read.
READ = {
    "customer_id": "The column that identifies the customers.",
    "timestamp": "The column of times.",
    "amount": "The column of amounts paid, in currency.",
    "order_id": "The column that identifies the orders.",
    "category": "The column that says what was bought.",
    "channel": "The column that says where something was bought, seen or sent.",
    "discount": "The column of what was taken off the list price.",
    "stage": "The column of stages of a purchase path.",
    "stages": "The stages of a purchase path, in their order.",
    "platform": "The column of platforms.",
    "action": "What is done: in a table the column of actions, for a segment the recommended one.",
    "reach": "The column of how many people an interaction came to.",
    "sentiment": "The column of the tone of an interaction.",
    "responded": "The column that says who responded.",
    "campaign": "The campaign: the column that identifies it, or the table of contacts of one.",
    "campaign_type": "The column of types of campaigns.",
    "response_time": "The column of times of responses.",
    "coupons": "The column of numbers of coupons.",
    "contacted": "The column that says who was contacted.",
    "columns": "The columns that are read.",
    "kinds": "The kinds of columns, numeric, binary, ordinal or nominal, that overrule what they look like.",
    "level_orders": "The levels of columns, from low to high.",
    "hierarchies": "How levels roll up into those above them.",
    "households": "The columns that describe households in words.",
    "ages": "The columns of years from which ages are made, with the names of the ages.",
    "reference_year": "The year in which ages are counted.",
    "decimal": "The decimal sign of numbers in text.",
    "latitude": "The column of latitudes, in degrees.",
    "longitude": "The column of longitudes, in degrees.",
    "regions": "The columns of regions, from large to small.",
    "sites": "The places to which distances are measured.",
    "separator": "What stands between two answers in one text.",
    "ranks": "The columns of ranks.",
    "ranking": "The column of rankings as text.",
    "best_worst": "The columns of counts of best and worst choices.",
    "options": "All that could be chosen or ranked.",
    "times_shown": "How often each option was shown to each customer.",
    "scales": "The items of each survey scale.",
    "items": "The columns that are survey items.",
    "answers": "The answers of a scale in words, from low to high.",
    "scale_range": "The ends of a scale: its lowest and its highest value.",
    "recency": "The column of recencies.",
    "frequency": "The column of frequencies.",
    "monetary": "The column of monetary values.",
    "segment": "The segment of a customer: in a table the column that holds it.",
}
MADE = {
    "n_segments": "A number of segments; where several are tried, those.",
    "preset": "The named set of segments.",
    "rules": "What decides by conditions: who is in which segment, or which action a segment calls for.",
    "members": "The parts of a union: name, estimator and table of each.",
    "brief": "What the study is for.",
    "features": "The characteristics to compute.",
    "monetary_as": "How the monetary value of a purchase is taken.",
    "period": "The span of the calendar within which purchases are one.",
    "time_unit": "The unit of times that come out.",
    "max_gap": "The longest silence within one purchase path.",
    "n_leading": "How many levels have a column of their own.",
    "action_weights": "The weight of each action.",
    "advocacy_weight": "The weight from which an action is advocacy.",
    "labels": "What each is called: a customer by the number of its segment, a characteristic in words.",
    "units": "The units of characteristics.",
    "roles": "What characteristics are to other stages, such as recency.",
    "other": "What pooled rare levels are called.",
    "nearest_site": "Whether the nearest site is named.",
    "density_radius": "The radius within which customers are counted, in kilometres.",
    "leave_out": "The option that has no column, since the others say it.",
    "n_factors": "The number of factors.",
    "rotation": "How factors are rotated.",
    "n_bins": "The number of scores.",
    "edges": "The cuts between scores.",
    "weights": "How strongly each characteristic counts.",
    "heavy_tails": "What is done to numbers with heavy tails.",
    "scaling": "How numbers are scaled.",
    "gamma": "The weight of categories against numbers.",
    "engine": "The algorithm that finds the segments.",
    "embedder": "What turns characteristics into distances.",
    "min_segment_share": "The least share of customers in a segment.",
    "min_segments": "The least number of segments that is wanted.",
    "max_segments": "The largest number of segments.",
    "order_by": "The column whose mean orders the segments.",
    "standard_errors": "Whether standard errors are computed.",
    "otherwise": "The name of the segment of everyone who meets no rule.",
    "n_traits": "How many traits a persona has.",
    "n_questions": "How many questions are asked of a new customer.",
    "characteristics": "What describes customers: an estimator that makes it of tables, or what was found of each.",
    "clusterer": "What finds segments and can be refitted.",
    "describer": "What describes segments.",
    "names": "What characteristics or segments are called; of renamed ones by their old names.",
    "actions": "What to do about each segment: as decided, by its number or name.",
    "title": "The title of a report.",
    "beside": "Other segments of the same customers, whose figures are handed on beside those of these.",
}
POLICY = {
    "as_of": "The reference time.",
    "returns": "What is done with negative amounts.",
    "missing_values": "The answers that mean no answer.",
    "min_customers": "How many customers a level needs to stand by itself; for tables of profiles also a share.",
    "plausible": "The ranges outside which numbers are implausible.",
    "implausible": "What is done with implausible numbers.",
    "null_island": "What is done with coordinates 0, 0.",
    "empty": "What an empty answer means.",
    "ties": "What is done with equal ranks.",
    "unknown_actions": "What is done with actions that have no weight.",
    "prior_strength": "How many contacts the prior of a rate counts for.",
    "min_answered": "The share of items that must be answered.",
    "dont_know": "The answers that mean no opinion.",
    "response_style": "How styles of answering are taken out.",
    "min_loading": "The least loading with which an item belongs to a factor.",
    "winsorize": "The share of values at each end that is drawn in.",
    "min_group_size": "The least number of customers of whom anything is said.",
}
LIMITS = {
    "n_init": "The number of starts.",
    "max_iter": "The most iterations.",
    "tol": "The gain at which iterations end.",
    "min_variance": "The least variance within a class.",
    "sample_above": "The number of different customers above which a sample is fitted first.",
    "n_pairs": "The number of pairs of refits.",
}
RANDOM = {
    "random_state": "The source of randomness.",
    "n_jobs": "The number of processes.",
    "verbose": "Whether progress is shown.",
}
# Parameters of functions and methods alone.
CALLED = {
    "X": "What an estimator or function reads: rows of customers, or what its fit describes.",
    "y": "The labels of the rows where a describer is told them, else ignored; scikit-learn's.",
    "importance": "How much each item matters to each respondent.",
    "satisfaction": "How well each respondent is served in each item.",
    "used": "The columns that formed the segments, where a table is profiled that is no segmentation.",
    "sample_weight": "How many customers, or respondents, a row counts for.",
    "fit_params": "Passed on to fit.",
    "input_features": "The columns that came in; scikit-learn's, and ignored where names do not depend on them.",
    "deep": "Whether the parameters of parts are included; scikit-learn's.",
    "params": "Parameters by name; scikit-learn's.",
    "transform": "The kind of table that comes out; scikit-learn's.",
    "tables": "Raw tables by name, or the names of those that are wanted.",
    "table": "A table: itself, or in SQL its name.",
    "segmenter": "What is fitted and predicts segments: a clusterer, rules, a pipeline that ends in one.",
    "study": "A fitted study.",
    "path": "The file or folder to write.",
    "overwrite": "Whether what is there is replaced.",
    "escape_formulas": "Whether what a spreadsheet may run as a formula loses that effect in a CSV file.",
    "include_customers": "Whether what is stored holds the rows of customers.",
    "trusted": "The types, by their full names, that a file may hold beyond those known.",
    "batch_size": "How many customers are in memory at once.",
    "heading": "Whether title and how to read it stand above a picture.",
    "width": "How many cells a line of a terminal has.",
    "short": "Whether to say no more than fits on one screen.",
    "colour": "Whether to add the codes by which terminals show colours.",
    "indent": "The indent of JSON.",
    "quote": "The sign around names in SQL.",
    "with_names": "Whether segments come as names instead of numbers.",
    "name": "What something is called.",
    "names_from": "What was described before, from which segments that are the same keep their names.",
    "personas": "Who is in each segment.",
    "segmentation": "Customers in segments, with what made them so.",
    "clustered_on": "What the segments were found by: the names, or of a trait whether it is one of them.",
    "n_customers": "A number of customers.",
    "n_not_assigned": "The number of customers in no segment.",
    "separation": "How far segments stand apart; planted ones in standard deviations.",
    "missing_share": "The share of values that is missing.",
    "missing": "Who counts where answers are missing.",
    "shares": "The share of customers in each segment.",
    "at": "The time at which purchases are split.",
    "contacts": "The table of contacts of campaigns.",
    "responses": "The table of responses.",
    "campaigns": "The table that describes campaigns.",
    "choices": "The table of best and worst choices.",
    "shown": "The columns of what was shown.",
    "best": "The column of best choices.",
    "worst": "The column of worst choices.",
    "max_run": "The longest run of equal answers that is not careless.",
    "min_variability": "The least variability of answers that is not careless.",
    "standardized": "Whether items are standardised first.",
    "null": "What a statistic is compared with.",
    "n_draws": "The number of draws from what is compared with.",
    "quantile": "The quantile over draws that must be exceeded.",
    "n_boot": "The number of bootstrap samples.",
    "confidence_level": "The confidence level of intervals.",
    "significance_level": "The size of a test: the largest p-value that rejects.",
    "matrix": "Comparisons in pairs.",
    "points": "The table of points given to characteristics.",
    "total": "What the points of a respondent sum to.",
    "tolerance": "By how much they may miss it.",
    "ratings": "The table of ratings of importance.",
    "rounds": "The rounds of a discussion: what judges said in each, or what was found in each.",
    "by": "What the numbers of judges are: ratings or ranks.",
    "method": "How weights are estimated.",
    "intervals": "The intervals of weights: how they are made, or they themselves.",
    "mean": "The mean that weights are scaled to.",
    "spread": "How far weights are moved.",
    "on_step": "Called after each step.",
    "structured": "Whether the customers are told from one continuum; None where that was not tested.",
    "n_natural": "How many distinct groups the data ask for; None where that is not known.",
    "reason": "Why, in words with figures.",
    "stability": "What bootstrap refits said.",
    "goal": "What a company wants of its segmentation, or its name.",
    "facts": "What is known of a segment.",
    "audience": "Conditions on who is segmented.",
    "against": "What is compared with.",
    "conditions": "The conditions of one rule.",
    "currency": "The currency of amounts, in words.",
    "ax": "The panels of a picture that are given to draw on.",
    "estimator": "A fitted study or segmenter whose segments are drawn.",
    "projection": "The plane that customers are shown on.",
    "profile": "Every characteristic of every segment, in figures.",
    "needs": "What matters to each segment, and how well it is served.",
    "selection": "How many segments customers ask for, and why.",
    "characteristic": "The column of one characteristic that is drawn.",
    "segment_table": "One row per segment with its size and value.",
    "customers": "Customers, one row each; of weights that were moved, how often each of them changed segment.",
    "given": "The fields of what is made of them, by name.",
    "made_by": "What made the segments: a clusterer, rules, a cut, or nobody knows.",
    "outcomes": "The columns that are wanted and not clustered on.",
    "rule": "Conditions, all of one of whose alternatives a customer must meet.",
    "source": "What a brief is read from: a file, or its text.",
    "value": "What each customer is worth, or the column that says it.",
    "reports": "The row reports of members, with the names of member and table.",
    "segment_mean": "The mean of a segment.",
    "segment_sd": "The standard deviation of a segment.",
    "segment_share": "The share of a segment that has a level.",
    "n_segment": "The number of customers in a segment.",
    "rest_mean": "The mean of everyone else.",
    "rest_sd": "The standard deviation of everyone else.",
    "n_rest": "The number of everyone else.",
    "overall_mean": "The mean of all customers.",
    "overall_sd": "The standard deviation of all customers.",
    "overall_share": "The share of all customers that has a level.",
    "n_overall": "The number of all customers.",
    "n_level": "The number of customers who have a level.",
    "n_both": "The number of customers in a segment who have a level.",
    "means": "The mean of each segment.",
    "sds": "The standard deviation of each segment.",
    "counts": "The number of customers in each segment.",
    "p_values": "The p-values of several tests.",
}
GROUPS = (READ, MADE, POLICY, LIMITS, RANDOM)
MEANINGS = {name: meaning for group in (*GROUPS, CALLED) for name, meaning in group.items()}

# Where a name is declared with different types, and why it means one thing all the same.
SEVERAL_TYPES = {
    "X": "tables of any kind are Any; a union reads several; what inverse_transform reads is a matrix",
    "actions": "what was decided goes in by segment, in words, and comes out as actions",
    "at": "a time in any form goes in, a timestamp comes out",
    "campaign": "of a made-up sample, the table of contacts with it",
    "characteristics": "what describes customers goes in, what was found of each characteristic comes out",
    "clustered_on": "of all characteristics the names, of one trait whether it is among them",
    "clusterer": "functions take any clusterer of scikit-learn, the study one of ours",
    "columns": "one question with several answers has one column, and then its name is enough",
    "customers": "tables of any kind go in, a sample or a split has frames, a sensitivity one number for each",
    "goal": "a brief is data and has the name; a function takes the goal too",
    "intervals": "how they are made goes in, they come out",
    "kinds": "latent classes take one kind for all columns",
    "labels": "of customers anything with a label for each goes in, an array comes out; of columns they go by name",
    "members": "estimators with their tables go in, how their customers match comes out",
    "method": "a choice of two goes in; weights may come from elsewhere",
    "min_customers": "pools of profiles may be given as a share, and by column",
    "n_factors": "'parallel' is a way to find the number",
    "n_segments": "'auto' is a way to find the number, and several may be tried",
    "names": "new names go by their old ones, or by the numbers of segments",
    "names_from": "a study has personas, and is taken for them",
    "needs": "of a comparison by segment, of a persona its own",
    "best": "of choices the column by its name, of scores how many there were",
    "outcomes": "of a brief a tuple of names",
    "shares": "segments that are asked for go in, those of a description come out",
    "shown": "of choices the columns by their names, of scores how many there were",
    "worst": "of choices the column by its name, of scores how many there were",
    "path": "a path in any form goes in, text comes out",
    "profile": "of a made-up sample the table of who its customers are, of segments the figures",
    "separation": "of planted segments a number goes in, of those that were found the figures",
    "study": "a report asks of a study what it shows, a file holds one of ours",
    "rounds": "the judgements go in, the agreement comes out",
    "rules": "rules in any form go in; those of a goal are of our own kind",
    "scales": "the scales of a made-up sample are those that an encoder is given",
    "segment": "in a table the column, of a sample or a persona the segment itself",
    "table": "raw tables go in, figures come out, SQL has the name",
    "tables": "of what is loaded, the names",
    "segmenter": "functions take any fitted estimator that predicts, a Segmentation one of ours",
    "weights": "weights go in; all those that were drawn come out as a table",
    "value": "a column by its name, or the numbers; of a segmentation the numbers",
    "y": "the study takes none",
}


def result_classes():
    """Public classes that are no estimators and hold fields: what functions and estimators return."""
    found = [thing for thing in public_classes().values() if dataclasses.is_dataclass(thing)]
    return [thing for thing in found if thing is not custseg.SegmentationBrief]


def signatures():
    """Every public way to be called: what it is called, and its signature."""
    classes = [thing for thing in public_classes().values() if not issubclass(thing, BaseException)]
    for thing in classes:
        if thing not in result_classes() and not inspect.isabstract(thing):
            yield thing.__name__, inspect.signature(thing.__init__)
        for name, method in inspect.getmembers(thing, callable):
            if not name.startswith("_") and getattr(method, "__module__", "").startswith("custseg"):
                yield f"{thing.__name__}.{name}", inspect.signature(method)
    for name, function in public_functions().items():
        yield name.removeprefix("custseg."), inspect.signature(function)


def parameters():
    """Parameter name -> declared type, without the None that is allowed -> where it is declared so."""
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for owner, signature in signatures():
        for name, parameter in signature.parameters.items():
            if name not in ("self", "cls"):
                found[name][str(parameter.annotation).replace(" | None", "")].add(owner)
    return found


def fields():
    """The same of the fields of results."""
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for thing in result_classes():
        for field in dataclasses.fields(thing):
            found[field.name][str(field.type).replace(" | None", "")].add(thing.__name__)
    return found


PARAMETERS, FIELDS = parameters(), fields()


def test_the_walk_finds_estimators_functions_methods_and_results():
    assert {"RFMFeaturizer", "SegmentationBrief"} <= PARAMETERS["customer_id"]["str"] | PARAMETERS["goal"]["str"]
    assert "validation.structure_test" in PARAMETERS["significance_level"]["float"]
    assert "SegmentationStudy.write_report" in PARAMETERS["path"]["str | Path"]
    assert "Persona" in FIELDS["segment"]["int"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_name_has_a_meaning(name):
    assert name in MEANINGS, f"{name!r} of {dict(PARAMETERS[name])}: use a name of the table, or add its meaning"


@pytest.mark.parametrize("name", MEANINGS)
def test_a_meaning_is_one_sentence_of_a_name_in_use(name):
    meaning = MEANINGS[name]
    assert name in PARAMETERS
    assert meaning.endswith(".")
    assert ". " not in meaning
    assert sum(name in group for group in (*GROUPS, CALLED)) == 1


def test_no_two_names_have_one_meaning():
    counted = collections.Counter(MEANINGS.values())
    assert [meaning for meaning, times in counted.items() if times > 1] == []


def test_where_a_name_has_several_types_it_is_said_why_it_means_one_thing():
    several = {name for name, types in PARAMETERS.items() if len({*types, *FIELDS.get(name, ())}) > 1}
    assert several == set(SEVERAL_TYPES)


def in_words(group):
    return ("what is read", "what is made", "policies", "limits", "randomness")[group]


@pytest.mark.parametrize("estimator", estimator_classes().values(), ids=lambda estimator: estimator.__name__)
def test_parameters_stand_in_one_order(estimator):
    own = [parameter for name, parameter in inspect.signature(estimator).parameters.items() if name != "self"]
    positional = [parameter.name for parameter in own if parameter.kind is not parameter.KEYWORD_ONLY]
    assert len(positional) <= 1
    named = [parameter.name for parameter in own if parameter.kind is parameter.KEYWORD_ONLY]
    assert "customer_id" not in named[1:]
    groups = [next(place for place, group in enumerate(GROUPS) if name in group) for name in named]
    assert groups == sorted(groups), list(zip(named, map(in_words, groups), strict=True))


@pytest.mark.parametrize("estimator", estimator_classes().values(), ids=lambda estimator: estimator.__name__)
def test_the_docstring_has_the_parameters_in_the_same_order(estimator):
    lines = inspect.cleandoc(estimator.__doc__).splitlines()
    start = lines.index("Parameters") + 2
    end = next(place for place in range(start, len(lines)) if lines[place].startswith("---")) - 1
    entries = [line.partition(" : ")[0] for line in lines[start:end] if line and not line.startswith(" ")]
    documented = [name for entry in entries for name in entry.split(", ")]
    assert documented == list(inspect.signature(estimator).parameters)
