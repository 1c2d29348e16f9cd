"""Whether visitors are split as they were meant to be, safe to look at every day.

The test of Lindon and Malek (Anytime-Valid Inference for Multinomial Count Data,
arXiv:2011.03567): how much better the counts agree with shares around the meant ones
than with the meant ones. With the meant shares this ratio is on average 1 at any time, so
it is ever a thousand or more in one of a thousand experiments, however often one looks.
"""

from collections.abc import Sequence
from math import exp, lgamma, log, pi

from handsel.analytics.stats.special import divergence, stirling_rest

SUSPICIOUS = 0.001
"""Below this a split looks wrong: one honest experiment of a thousand."""

CONCENTRATION = 100
"""How near to the meant shares others are thought of: five points, of an even split."""


def split_looks(counts: Sequence[int], shares: Sequence[int]) -> float:
    """Give the always-valid p-value of the shares; 1 where nothing speaks against them.

    Args:
        counts: the visitors of each variant.
        shares: how many of all shares each of them is meant to get.
    """
    ratio = _log_ratio(counts, [share / sum(shares) for share in shares])
    return exp(-max(0.0, ratio))


def _log_ratio(counts: Sequence[int], meant: Sequence[float]) -> float:
    """Give the logarithm of the ratio; Stirling's formula keeps large counts exact."""
    started = [CONCENTRATION * part for part in meant]
    now = [n + start for n, start in zip(counts, started, strict=True)]
    whole = sum(counts) + CONCENTRATION
    away = sum(divergence(n, whole * part) for n, part in zip(now, meant, strict=True))
    roots = (log(whole) - sum(map(log, now)) + (len(now) - 1) * log(2 * pi)) / 2
    rests = sum(map(stirling_rest, now)) - stirling_rest(whole)
    before = lgamma(CONCENTRATION) - sum(map(lgamma, started))
    before += sum(n * log(part) for n, part in zip(started, meant, strict=True))
    return away + roots + rests + before
