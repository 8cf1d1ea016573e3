#!/usr/bin/env python3
"""Writes tests/golden/text: a small vocabulary learned from sentences of ours, and what OpenCLIP's tokenizer makes of
awkward texts by it ("small") and by CLIP's own ("clip"). tests/text/clip_tokenizer_test.cpp reads both files.

CLIP's vocabulary is not ours to copy: only its tokens of these texts are in the file.

Usage: tests/golden/make_token_golden.py    Needs: open_clip, ftfy, regex
"""
import collections
import gzip
import json
import pathlib
import tempfile

from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode

FOLDER = pathlib.Path(__file__).with_name("text")
SENTENCES = """
a red bicycle leans against the wall; the wall is red, too. two bicycles and three bikes stand there.
a photo of a dog in the snow, a photo of the dogs in the sand. there's a dog that doesn't like snow!
we've seen it, they'll see it, i'd see it, you're seeing it, i'm here: it's the same thing...
café, cafés, naïve, über, straße, señor, façade, crème brûlée; дом, дома, домик; 日本語, 日本の写真.
the harbour at night, lights on the water, ships and boats, a harbour full of light; 1984, 2024, 42 and 100
"""
JOINS = 300

TEXTS = [
    "a red bicycle", "A Photo of a DOG", "", "   ", "a", "  two\tspaces \n and\r\nlines  ",
    "it's, they'll, we've, i'd, you're, i'm, don't, ISN'T, 'S 'Ll 'quoted' 's!'s ''re", "rock 'n' roll",
    "year 1984, 3.14, ½ cup, ⅷ, x², ٣, 100%", "hello!!! ... (what?) -- #tag @name a_b", "🚲 a bike 👩‍🚀🏽 ☂️ ❤",
    "café CAFÉ cafe\u0301 naïve", "ÀÉÎÕÜ ßẞ Straße", "İstanbul ISPARTA ı", "ΣΊΣΥΦΟΣ Σ ΟΔΟΣ, ΑΣ. ΑΣ'Α",
    "日本語の写真", "дом Дома ЇЖАК", "한국어 \u1112\u1161\u11ab", "हिन्दी में", "العَرَبِيَّة", "ไทย",
    "fi\ufb01 \ufb03 \ufb05 \u0132sland \u01c5ep \u0149 \u01c7", "ｆｕｌｌ　ｗｉｄｔｈ １２ ﾊﾝｶｸ ￠",
    "“curly” ‘quotes’ it’s ‛x‟ \u02bc", "line\u2028sep\u2029par\u0085next\u000bvt\u000cff\u001cfs\u001fus",
    "nul\u0001\u0008 del\u007f \ufeffbom \u206a \ufffa \ufffc", "c1 \u0093quoted\u0094 \u0080 \u0099 \u0081",
    "\u001b[31mred\u001b[0m \u001b[ \u001b[1;x \u001b]", "soft\u00adhyphen zero\u200bwidth \u200d \u202eright",
    "Tom &amp; Jerry &lt;b&gt; &quot;hi&quot; &#39;a&#39; &apos;b&apos; &nbsp;x", "caf&eacute; CAF&EACUTE; &SZLIG; &MICRO; &eACUTE;",
    "&amp;amp;amp;amp;lt; &amp;#38;", "&#233; &#xE9; &#Xe9 &#233x &#0; &#x80; &#150; &#xD800; &#1114112; &#1; &#xFFFE;",
    "<p>&amp;amp; &eacute; &EACUTE;", "<b>\n&EACUTE;", "&EACUTE;\n<b> &EACUTE;", "&copy &copy2024 &notit; &not in; &ampere &amp",
    "AT&T R&D &; & &# &#; &#x; &#xZ; &#12ab; &#59; &unknown; &lang;x&rang; &hellip; &mdash;", "&thetasym; &there4; &frac12; &sup2;",
    "<start_of_text> a <end_of_text> b", "<START_OF_TEXT> <\u017ftart_of_text> '\u017f '\u212a", "</w> a</w> < / w >",
    "supercalifragilisticexpialidocious", "aaaaaaaaaaaaaaaaaaaaaaaaaaa", "a" * 100, "xX" * 200,
    "dog " * 74, "dog " * 75, "dog " * 76, "dog " * 200, "☃" * 100, "the quick brown fox " * 30,
    "\U0001d552\U0001d553 \U0001f1e9\U0001f1ea \U00020000", "\u1e9b\u0323 \u212b \u2126 \u0958 \uac00",
    "ǅ ǆ Ǆ ᾳ ᾼ ﬓ Ⅷ Ⓐ", "α\u0345\u0345α \u0345", "ﷺ \ufe0f x", "\u00a0\u2003nbsp\u3000ideographic\u202fnarrow\u205fmath\u1680ogham",
    "no_under__score __init__ C++ c#", "http://example.com/a?b=c&d=e&copy=1&lt=2", "e-mail: a.b@c.de; tel +49 (0)30",
    "\u0301 leading mark \u0301\u0301", "x\u0301\u0323 y\u0323\u0301", "'", "''''", "'s", "'sand 'reading 'verily 'dog 'mother 'llama",
]


def learn():
    """Joins by frequency, the first of equals; words and bytes as the tokenizer has them."""
    tokenizer = SimpleTokenizer()
    words = collections.Counter()
    for word in tokenizer.pat.findall(SENTENCES.lower()):
        spelt = [tokenizer.byte_encoder[byte] for byte in word.encode()]
        words[tuple(spelt[:-1] + [spelt[-1] + "</w>"])] += 1
    joins, made = [], set(bytes_to_unicode().values())
    while len(joins) < JOINS:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                if "".join(pair) not in made:
                    pairs[pair] += count
        if not pairs:
            break
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        joins.append(best)
        made.add("".join(best))
        joined = collections.Counter()
        for word, count in words.items():
            out, i = [], 0
            while i < len(word):
                step = 2 if word[i:i + 2] == best else 1
                out.append("".join(word[i:i + step]))
                i += step
            joined[tuple(out)] += count
        words = joined
    return joins


def cleaned_unlike_ftfy(text):
    """Whether ftfy takes the text for one that was decoded by a wrong table, which we do not repair."""
    import ftfy
    return ftfy.fix_text(text) != ftfy.fix_text(text, fix_encoding=False)


def main():
    FOLDER.mkdir(exist_ok=True)
    joins = learn()
    lines = ["# a small vocabulary by tests/golden/make_token_golden.py"] + [" ".join(join) for join in joins]
    (FOLDER / "vocabulary.txt").write_text("\n".join(lines) + "\n")
    with tempfile.NamedTemporaryFile(suffix=".gz") as packed:
        packed.write(gzip.compress("\n".join(lines).encode()))
        packed.flush()
        small = SimpleTokenizer(packed.name)
    clip = SimpleTokenizer()
    rows = []
    for text in TEXTS:
        if cleaned_unlike_ftfy(text):
            raise SystemExit(f"ftfy repairs the encoding of {text!r}: not a case for this list")
        row = {"text": text}
        for name, tokenizer in (("small", small), ("clip", clip)):
            ids = tokenizer(text)[0].tolist()
            row[name] = ids[:max(i for i, token in enumerate(ids) if token) + 1]
        rows.append(json.dumps(row))
    document = '{"peer": "open_clip 3.3.0, ftfy 6.3.1", "tokens": %d, "texts": [\n%s\n]}\n' % (small.vocab_size, ",\n".join(rows))
    (FOLDER / "tokens.json").write_text(document)
    print(len(joins), "joins,", len(rows), "texts")


main()
