"""UpdateItem: each attribute gets a value of its own; MiniStack hands the very same object to all that name it.

`SET a = :empty, b = :empty` made one map of two, and a later `SET a.x = :y` changed both.
"""

import copy

from ministack.services import dynamodb


def install():
    stock = dynamodb._eval_set_value
    dynamodb._eval_set_value = lambda *given: copy.deepcopy(stock(*given))
