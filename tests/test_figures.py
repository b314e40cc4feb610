"""What is counted of the sources."""

from tests.figures import circles


def test_names_that_reach_each_other_are_one_circle():
    below = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": [], "f": ["g"], "g": ["f"], "h": ["h"]}
    assert circles(below) == [{"a", "b", "c"}, {"f", "g"}, {"h"}]


def test_where_everything_points_down_there_is_none():
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []
