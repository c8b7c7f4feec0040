from dataclasses import dataclass


class NotEnough(Exception):
    pass


@dataclass
class Account:
    owner: str
    balance: int = 0

    def pay(self, other, amount):
        if amount > self.balance:
            raise NotEnough(f"{self.owner} has {self.balance}, not {amount}")
        self.balance -= amount
        other.balance += amount
        print(f"{self.owner} pays {other.owner} {amount}")

    def __str__(self):
        return f"{self.owner:>6}: {self.balance}"
