"""Counts the words of its input. See "Arguments and input" below."""

import sys
from collections import Counter

words = Counter(word.strip(".,;!?").lower()
                for line in sys.stdin for word in line.split())

for word, count in words.most_common(8):
    print(f"{word:>10} {'▪' * count} {count}")
print(f"\n{sum(words.values())} words, {len(words)} different ones.")
