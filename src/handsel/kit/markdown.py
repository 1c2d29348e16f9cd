"""stub until kit lands"""

from markdown_it import MarkdownIt


def render_markdown(t):
    return MarkdownIt("js-default").render(t)


def markdown_to_plain(t, limit=160):
    return t[:limit]
