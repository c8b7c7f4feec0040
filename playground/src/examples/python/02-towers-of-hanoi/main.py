"""The towers of Hanoi: recursion with a picture of every move."""

import sys

DISKS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
towers = {"A": list(range(DISKS, 0, -1)), "B": [], "C": []}
moves = 0


def draw():
    width = 2 * DISKS + 1
    for level in reversed(range(DISKS)):
        print("  ".join(
            ("█" * (2 * tower[level] - 1) if level < len(tower) else "│")
            .center(width) for tower in towers.values()))
    print("  ".join(name.center(width, "▁") for name in towers), "\n")


def move(count, source, target, spare):
    global moves
    if count == 0:
        return
    move(count - 1, source, spare, target)
    towers[target].append(towers[source].pop())
    moves += 1
    print(f"Move {moves}: {source} → {target}")
    draw()
    move(count - 1, spare, target, source)


draw()
move(DISKS, "A", "C", "B")
print(f"{DISKS} disks took {moves} moves. Give a number as argument.")
