"""Two hundred texts that somebody may name a model, a feature or a policy, each live somewhere if nobody takes care."""

from __future__ import annotations

SHA = "a5c3785ed8d6a35868bc169f07e40e889087fd2e"

# https://docs.github.com/get-started/writing-on-github, both "Basic writing" and "Autolinked references"
GITHUB = (
    "@everyone", "@org/team", "ping @octocat!", "(@octo-cat)", "@here @channel", "_@octocat_", "@a", "x@octocat y",
    "#123", "see #1", "(#7)", "GH-1", "gh-26", "fixes #9", "closes GH-3", "org/repo#1", "octocat#2", "a-b/c.d#345",
    SHA, SHA[:7], f"octocat@{SHA}", f"org/repo@{SHA[:10]}", f"reverts {SHA.upper()}", "1234567",
    f"{SHA[:8]}..{SHA[9:18]}", "https://github.com/jlord/sheetsee.js/issues/26",
    "https://github.com/o/r/pull/1#issuecomment-2", f"https://github.com/o/r/commit/{SHA}",
    "https://github.com/o/r/labels/bug", "GHSA-7wxq-c2m4-8v5p", ":tada:", ":+1:", "a:skull_and_crossbones:b",
    ":octocat::shipit:", "`#0969DA`", "$x$", "$$x^2$$", "$`x`$", "$\\alpha + \\beta$", "costs $5 or $6", "[^1]",
    "[^note]: text", "> [!WARNING]", "- [x] done", "[x] done",
)  # fmt: skip
# https://docs.gitlab.com/user/markdown/#gitlab-specific-references and /user/project/quick_actions/
GITLAB = (
    "@all", "!123", "group/project!123", "$123", "~bug", '~"two words"', "~~~bug", "%v1.23", '%"release candidate"',
    "&123", "group&12", "^alert#1", "[vulnerability:123]", "[issue:123]", "[feature_flag:1]", "[cadence:123]",
    '*iteration:"x"', "*iteration:1", "[wiki_page:home]", "[[home]]", "[[_TOC_]]", "[TOC]", "[contact:a@b.example]",
    f"{SHA[:8]}...{SHA[8:16]}", "/close", "/label ~bug", "/approve", "/merge", "\n/assign @me\n", "/tableflip",
    "{+ added +}", "{- removed -}", "[- removed -]", "%{danger_start}x%{danger_end}", "$[[ inputs.x ]]",
    "${CI_JOB_TOKEN}", "![x](a.mp4)", "#123+", "#123+s", "::include{file=x.md}", "#alert-1 ^alert#12",
)  # fmt: skip
# https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/
MARKDOWN = (
    "[click](https://evil.example)", "[click](javascript:alert(1))", "[a][b]", "[b]: https://evil.example", "[b]",
    "![i](//evil.example/i.png)", "![](data:image/png;base64,AAAA)", "<https://evil.example>", "<me@evil.example>",
    "https://evil.example", "http://evil.example/?a=1&b=2", "HTTPS://EVIL.EXAMPLE", "ftp://evil.example",
    "www.evil.example", "WWW.evil.example", "me@evil.example", "mailto:me@evil.example", "xmpp:me@evil.example/x",
    "*a*", "**a**", "***a***", "_a_", "__a__", "~a~", "~~a~~", "a*b*c", "# heading", "###### heading", "heading\n===",
    "heading\n---", "---", "***", "___", "- item", "+ item", "* item", "1. item", "1) item", "> quote", ">>> quote",
    "    code", "\tcode", "```\ncode", "```mermaid\ngraph TD; A-->B\n```", "~~~\ncode\n~~~", "```suggestion\nx\n```",
    "```math\nx\n```", "```geojson\n{}\n```", "`", "``", "```", "````", "`a`", "``a``", "` `` ``` ````", "`a", "a`",
    "|", "| a | b |", "|-|-|", "a | b\n- | -\nc | d", "\\", "\\|", "\\`", "\\\\|", "a\\", "a  \nb", "a\\\nb",
    "\n\n# b", "\r\n\r\n- b", "a\u2028b\u2029c", "a\x85b\x0bc", "{.class}", "Term\n: definition", "==mark==",
    "H~2~O^2^", "^", ":::note\nx\n:::",
)  # fmt: skip
# https://html.spec.whatwg.org and what filters have missed before
MARKUP = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example>", "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>", "<!--", "-->", "<!-- x -->", "--!>", "]]>", "<![CDATA[", "<?xml version='1.0'?>",
    "<!DOCTYPE x>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "&lt;script&gt;", "&amp;lt;b&amp;gt;",
    "&#60;script&#62;", "&#x3c;b&#x3e;", "&nbsp;", "&#64;everyone", "&commat;everyone", "&", "</details>",
    "</summary></details>", "<details open><summary>x</summary>y", "</td></tr></table>", "</title><script>",
    "</style><script>", "<a href='javascript:alert(1)'>", "<br><hr>", "<b", "a<b>c", "<textarea>",
    "<iframe src=//evil.example></iframe>", "<base href=//evil.example>", "<meta http-equiv=refresh content=0>",
    "<form>", "<input autofocus onfocus=alert(1)>", "\" onmouseover=\"alert(1)", "' onclick='alert(1)",
    "javascript:alert(1)", "data:text/html,<b>", "vbscript:x", "<plaintext>", "<math><mi>x", "<picture>",
    "<sup>a</sup>", "<!---->x", "{{ 7 * 7 }}", "{% raw %}", "{# x #}", "{0} {1}", "%s %d",
)  # fmt: skip
# https://docs.github.com/actions/reference/workflow-commands and terminals
COMMANDS = (
    "::set-output name=x::y", "::error::x", "::error file=a.py,line=1::x", "\n::warning::x", "::add-mask::x",
    "::stop-commands::x", "::debug::", "::group::x", "::endgroup::", "::save-state name=x::y", "a ::notice::x",
    "##[error]x", "##[group]x", "x ##[add-mask]y", ":::::", "###[error]", "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07", "\x1b]0;title\x07", "\x9b31m", "a\rb", "a\bb", "\x00", "a\x00b",
    "\x7f", "section_start:1:x\r\x1b[0Ky", "[red]x[/red]", "[link=https://evil.example]x[/link]", "$(id)", "`id`",
    "; rm -rf x", "=1+1", "-x", "--help",
)  # fmt: skip
# https://www.unicode.org/reports/tr9/ and /tr36/
UNICODE = (
    "\u202egnp.exe", "\u202dabc\u202c", "\u2066abc\u2069", "\u2067abc", "\u200fabc", "\u200eabc", "\u061cabc",
    "a\u200bb", "a\u2060b", "@\u200beveryone", "\ufeffabc", "a\u00adb", "\ud800", "a\udfffb", "\ud83d", "\ufffe",
    "\uffff", "\ufdd0", "\U000e0041", "\U0010ffff", "Z\u0351\u036b\u0343", "\u200d\u200c", "\u3164", "\u2800", "עברית",
    "نام‌ها", "\uff20everyone", "\uff03123", "\uff1cscript\uff1e", "😀", "👩‍👩‍👧‍👦", "🏴\U000e0067\U000e0062\U000e007f",
    "\xa0", "a\u3000b",
)  # fmt: skip
LONG = (
    "x" * 5_000, "x " * 5_000, "@a " * 2_000, "`" * 3_000, "|" * 3_000, "&" * 3_000, "<" * 3_000, "[" * 3_000,
    "[a](b)" * 1_000, "\\" * 3_001, "é" * 5_000, "😀" * 3_000, "\n" * 3_000 + "x", ":" * 3_000, "#" * 3_000,
    "\u202e" * 3_000, "((((" * 999, "*a_" * 2_000,
)  # fmt: skip
STRINGS = (*GITHUB, *GITLAB, *MARKDOWN, *MARKUP, *COMMANDS, *UNICODE, *LONG)
