"""Floor 1: version boxes.  Who has written to a memory since, and who else looks at it.

All tensors that share memory share one box, a list:

    box[WRITES]      how often the memory was written to in place
    box[LAST_WRITE]  the number of the last write; writes and births of nodes are counted together
    box[VIEWS]       weak references to the recorded views of the memory     } these two are there only
    box[RECENT]      the numbers of the last few writes                      } once they are needed

A node whose number is smaller than that of the last write saved values that are no longer there.
"""

import itertools
import weakref
from typing import Any

births = itertools.count(1)  # of nodes, and of writes in place: what came first has the smaller number
WRITES, LAST_WRITE, VIEWS, RECENT = range(4)
REMEMBERED = 8  # writes, for the sake of an error that says how many there were


def note_write(box: list) -> None:
    """Say that the memory was written to."""
    number = next(births)
    box[WRITES] += 1
    box[LAST_WRITE] = number
    if len(box) == VIEWS:
        box += [], ()
    box[RECENT] = (*box[RECENT][1 - REMEMBERED :], number)


def note_view(box: list, view: Any) -> None:
    """Remember a view, so that a write can renew its node; now and then, forget those that have died."""
    if len(box) == VIEWS:
        box += [weakref.ref(view)], ()
        return
    views = box[VIEWS]
    views.append(weakref.ref(view))
    count = len(views)
    if count & (count - 1) == 0:  # at every power of two: a cost of O(1) for each view
        views[:] = [reference for reference in views if reference() is not None]


def views_of(box: list) -> list:
    """The views that are still alive, oldest first: what a view was taken from comes before it."""
    references = box[VIEWS] if len(box) > VIEWS else ()
    return [view for reference in references if (view := reference()) is not None]


def version_at(box: list, number: int) -> str:
    """Which version the memory had when the node of this number was born."""
    later = sum(write > number for write in box[RECENT])
    return f"{box[WRITES] - later}{' or before' if later == REMEMBERED else ''}"
