"""Guess the number: a game that waits for you."""

import random

secret = random.randint(1, 100)
print("I am thinking of a number from 1 to 100.")

tries = 0
while True:
    try:
        guess = int(input("Your guess: "))
    except ValueError:
        print("A whole number, please.")
        continue
    tries += 1
    if guess < secret:
        print("Higher.")
    elif guess > secret:
        print("Lower.")
    else:
        print(f"Yes, {secret}! It took you {tries} tries.")
        break
