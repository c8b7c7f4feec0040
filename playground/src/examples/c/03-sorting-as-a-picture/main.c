/* Shell sort, drawn in place: each line is a number. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT 16

static int numbers[COUNT];

static void draw(int one, int other)
{
    struct timespec pause = { 0, 80 * 1000 * 1000 };

    printf("\033[H\033[2JShell sort\n\n");

    for (int i = 0; i < COUNT; i++) {
        printf("\033[%dm", i == one || i == other ? 36 : 90);
        for (int j = 0; j < numbers[i]; j++) {
            printf("██");
        }
        printf("\033[0m %d\n", numbers[i]);
    }

    fflush(stdout);
    nanosleep(&pause, NULL);
}

int main(void)
{
    srand((unsigned) time(NULL));

    for (int i = 0; i < COUNT; i++) {
        int j = rand() % (i + 1);
        numbers[i] = numbers[j];
        numbers[j] = i + 1;
    }

    for (int gap = COUNT / 2; gap > 0; gap /= 2) {
        for (int i = gap; i < COUNT; i++) {
            for (int j = i; j >= gap && numbers[j - gap] > numbers[j];
                 j -= gap) {
                int n = numbers[j];
                numbers[j] = numbers[j - gap];
                numbers[j - gap] = n;
                draw(j, j - gap);
            }
        }
    }

    printf("\nSorted.\n");
    return 0;
}
