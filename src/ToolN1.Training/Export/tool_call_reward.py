"""ToolN1's tool-call reward for verl (custom_reward_function), written by `tooln1 export verl`.

The rule, and the C# that it must agree with, is ToolCallReward in ToolN1: cut at the last assistant marker, take the last
complete <tool_call> block, parse it as JSON, want both think tags, and compare the calls as a multiset of name and
sorted-key JSON of the arguments. Whatever cannot be read is worth 0.
"""
import json
import re
from collections import Counter

PARTIAL = {PARTIAL}
REQUIRE_THINK = {REQUIRE_THINK}
LENIENT_NUMBERS = {LENIENT_NUMBERS}

_MARKER = "<|im_start|>assistant"
_BLOCK = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


def _parse(text):
    value = json.loads(text)
    return json.loads(value) if isinstance(value, str) else value


def _number(value):
    if isinstance(value, dict):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    if LENIENT_NUMBERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_call(call):
    return isinstance(call, dict) and "name" in call and "arguments" in call


def _calls(block):
    value = _parse(block.strip())
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return value
    return [] if value == "" else None


def _truth(text):
    value = _parse(text)
    if isinstance(value, list):
        return value
    return [] if value in ({}, "") else None


def _judge(solution, ground_truth):
    """Returns (format, names, exact)."""
    reply = solution.rsplit(_MARKER, 1)[-1]
    blocks = _BLOCK.findall(reply)
    if not blocks:
        return False, False, False
    calls = _calls(blocks[-1])
    if calls is None or not all(_is_call(call) for call in calls):
        return False, False, False
    has_format = not REQUIRE_THINK or ("<think>" in reply and "</think>" in reply)
    truth = _truth(ground_truth)
    if truth is None or not all(_is_call(call) for call in truth):
        return has_format, False, False
    try:
        names = Counter(call["name"] for call in calls) == Counter(call["name"] for call in truth)
    except TypeError:  # a list or object cannot be counted, so such a name is never right
        return has_format, False, False

    def key(call):
        return call["name"], json.dumps(_number(call["arguments"]), sort_keys=True)

    exact = names and Counter(map(key, calls)) == Counter(map(key, truth))
    return has_format, names, exact


def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    """verl calls this for each response; ground_truth is the JSON text of the right calls."""
    try:
        has_format, names, exact = _judge(solution_str, ground_truth)
    except (ValueError, TypeError, RecursionError):
        return 0.0
    if not has_format:
        return 0.0
    if not PARTIAL:
        return 1.0 if exact else 0.0
    return 0.2 + (0.8 if exact else 0.2 if names else 0.0)
