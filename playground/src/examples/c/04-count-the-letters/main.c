/* Counts the letters of its input. See "Arguments and input" below. */

#include <ctype.h>
#include <stdio.h>

int main(void)
{
    int c, count[26] = { 0 };

    while ((c = getchar()) != EOF) {
        if (isalpha(c)) {
            count[tolower(c) - 'a']++;
        }
    }

    for (int i = 0; i < 26; i++) {
        if (count[i] > 0) {
            printf("%c %3d ", 'a' + i, count[i]);
            for (int j = 0; j < count[i]; j++) {
                putchar('#');
            }
            putchar('\n');
        }
    }

    return 0;
}
