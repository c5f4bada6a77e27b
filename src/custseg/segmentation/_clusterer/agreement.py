"""Parameters of the clusterer that must agree with each other: what one says, another may not say again."""

from __future__ import annotations

from typing import Any

from custseg.exceptions import InvalidParameterError

__all__ = ["CHOSEN", "check_agreement"]

# what stands for a number of segments that is chosen from the data
CHOSEN = ("auto", "reproducible")


def check_agreement(clusterer: Any, sample_weight: Any) -> None:
    """Refuse parameters of a clusterer that contradict each other."""
    own = clusterer.get_params(deep=False)
    _check_embedder(own)
    _check_number(own, clusterer.finds_number)
    if sample_weight is not None and own["n_segments"] in CHOSEN:
        words = "a number where sample_weight is given (weights do not choose the number of segments)"
        raise InvalidParameterError.not_allowed("n_segments", words, own["n_segments"])


def _check_embedder(own: dict[str, Any]) -> None:
    if own["embedder"] is None:
        return
    for name in ("weights", "kinds"):
        if own[name] is not None:
            words = "None where an embedder is given (set it there)"
            if own["embedder"] == "passthrough":
                words = 'None with embedder="passthrough", which takes numbers as they are (or embedder=None)'
            raise InvalidParameterError.not_allowed(name, words, own[name])


def _check_number(own: dict[str, Any], finds_number: bool) -> None:
    number, least, most = own["n_segments"], own["min_segments"], own["max_segments"]
    if number == "reproducible" and finds_number:
        words = f'"auto" with {type(own["engine"]).__name__}, which finds the number itself'
        raise InvalidParameterError.not_allowed("n_segments", words, number)
    if number == "reproducible" and most < 2:
        words = 'at least 2 with n_segments="reproducible" (a single segment always comes back)'
        raise InvalidParameterError.not_allowed("max_segments", words, most)
    if least == 1:
        return
    if number not in CHOSEN or finds_number:
        words = (
            '1 where the number of segments is given or found by the engine (n_segments="auto" leaves it to the data)'
        )
        raise InvalidParameterError.not_allowed("min_segments", words, least)
    if least > most:
        raise InvalidParameterError.not_allowed("min_segments", f"at most max_segments, which is {most}", least)
