// Guess the number: a game that waits for you.

#include <iostream>
#include <random>

int main()
{
    std::random_device seed;
    std::uniform_int_distribution<int> numbers(1, 100);
    const int secret = numbers(seed);
    int guess, tries = 0;

    std::cout << "I am thinking of a number from 1 to 100.\n";

    while (std::cout << "Your guess: " << std::flush, std::cin >> guess) {
        tries++;
        if (guess == secret) {
            std::cout << "Yes, " << secret << "! It took you " << tries
                      << " tries.\n";
            return 0;
        }
        std::cout << (guess < secret ? "Higher.\n" : "Lower.\n");
    }

    std::cout << "\nA whole number, please.\n";
    return 1;
}
