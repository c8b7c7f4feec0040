"""Quicksort, drawn in place: each line is a number, each frame a swap."""

import random
import time

numbers = random.sample(range(1, 17), 16)


def draw(low, high):
    print("\x1b[H\x1b[2JQuicksort\n")
    for index, number in enumerate(numbers):
        colour = 36 if low <= index <= high else 90
        print(f"\x1b[{colour}m{'█' * (2 * number):<34}\x1b[0m {number:2}")
    time.sleep(0.12)


def quicksort(low, high):
    if low >= high:
        return
    pivot, split = numbers[high], low
    for i in range(low, high):
        if numbers[i] < pivot:
            numbers[i], numbers[split] = numbers[split], numbers[i]
            split += 1
    numbers[split], numbers[high] = numbers[high], numbers[split]
    draw(low, high)
    quicksort(low, split - 1)
    quicksort(split + 1, high)


quicksort(0, len(numbers) - 1)
draw(0, len(numbers) - 1)
print("\nSorted.")
