"""The statistics of experiments: sums alone, in pure Python.

`moments` holds what is known of a variant, `classic` the interval of a rate as textbooks
have it, `sequential` and `split` what stays right however often one looks, `chance` how
likely a variant is the best, `plan` how many visitors it takes, and `verdict` what follows
from all of it.
"""

from handsel.analytics.stats.moments import Arm, Metric, Sample
from handsel.analytics.stats.plan import Plan, plan_price, plan_rate, plan_revenue
from handsel.analytics.stats.verdict import Figures, Outcome, State, Verdict, judge

__all__ = [
    "Arm",
    "Figures",
    "Metric",
    "Outcome",
    "Plan",
    "Sample",
    "State",
    "Verdict",
    "judge",
    "plan_price",
    "plan_rate",
    "plan_revenue",
]
