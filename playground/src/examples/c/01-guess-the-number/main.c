/* Guess the number: a game that waits for you. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(void)
{
    int secret, guess, tries = 0;

    srand((unsigned) time(NULL));
    secret = 1 + rand() % 100;
    printf("I am thinking of a number from 1 to 100.\n");

    for (;;) {
        printf("Your guess: ");
        fflush(stdout);

        if (scanf("%d", &guess) != 1) {
            printf("\nA whole number, please.\n");
            return 1;
        }

        tries++;

        if (guess == secret) {
            printf("Yes, %d! It took you %d tries.\n", secret, tries);
            return 0;
        }

        printf(guess < secret ? "Higher.\n" : "Lower.\n");
    }
}
