"""A bank in two files: the other tab holds the account."""

from account import Account, NotEnough

ada = Account("Ada", 100)
bob = Account("Bob")

ada.pay(bob, 30)
bob.pay(ada, 5)
try:
    bob.pay(ada, 1000)
except NotEnough as problem:
    print("Refused:", problem)

for account in (ada, bob):
    print(account)
