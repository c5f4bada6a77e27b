"""What the report, which draws the same figures as HTML, may use of the inside of pictures."""

from custseg.plotting._flow import bands_of, boxes_of
from custseg.plotting._shared.handed import shown_plan
from custseg.plotting._shared.look import apart, joined, rows_of, sentence
from custseg.plotting._shared.profiled import with_unit, written

__all__ = ["apart", "bands_of", "boxes_of", "joined", "rows_of", "sentence", "shown_plan", "with_unit", "written"]
