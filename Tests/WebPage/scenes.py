"""What the echo model of the page's tests says when it is told one of these words."""

LONG = "\n".join(f"Line {number} of the long answer stands here and counts {number * 7}." for number in range(1, 13))

MARKDOWN = """## Leap years

A year is a **leap year** when it divides by 4, *unless* it divides by 100 and not by 400. In code that is `year % 4 == 0`, with two more tests:

```python
def is_leap(year: int) -> bool:
    # Centuries are special.
    if year % 100 == 0:
        return year % 400 == 0
    return year % 4 == 0
```

| year | divides by | leap year |
|------|:----------:|----------:|
| 1900 | 4, 100 | no |
| 2000 | 4, 100, 400 | **yes** |
| 2024 | 4 | yes |

1. Test the century first.
2. Then the rest:
   - most years are ~~leap~~ common years
   - see [the calendar](https://en.wikipedia.org/wiki/Gregorian_calendar)

> The rule is from 1582 and still off by a day in 3,000 years.
"""

# Whatever a model says must stay text.
ATTACK = """<script>window.stolen = 1</script>
<img src=x onerror="window.stolen = 2">

[one](javascript:window.stolen=3) [two](JaVaScRiPt:window.stolen=4) [three](data:text/html,<script>window.stolen=5</script>)
![four](https://evil.invalid/pixel.png) <https://evil.invalid/"onmouseover="window.stolen=6>
[five](https://evil.invalid/" onmouseover="window.stolen=7") <iframe src="https://evil.invalid"></iframe>

```html"><img src=x onerror=window.stolen=8>
</code></pre><script>window.stolen = 9</script>
```

| a | b |
|---|---|
| <svg onload=window.stolen=10> | <style>body{display:none}</style> |

**<b onclick=window.stolen=11>bold</b>** <base href="https://evil.invalid/"> <meta http-equiv=refresh content="0;url=https://evil.invalid">
"""

THOUGHT = """<think>
The user greets me. A greeting is answered with a greeting; <b>no</b> tools are needed.
</think>

Good morning! What shall we look at?"""

ANSWERS = {
    "markdown": MARKDOWN, "attack": ATTACK, "long": LONG, "think": THOUGHT,
    "How do I find leap years?": MARKDOWN,
    "Good morning": THOUGHT,
    "Why is the sky blue?":
        "Sunlight is a mixture of all colours. The molecules of the air scatter *short* waves far more than long ones — the "
        "strength grows with the fourth power of the frequency — so blue reaches us from every direction of the sky, and "
        "what comes straight from a low sun is red.",
}
