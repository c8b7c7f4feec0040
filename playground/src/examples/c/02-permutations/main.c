/* All orders of a word's letters, by recursion. Give a word as argument. */

#include <stdio.h>
#include <string.h>

static int count;

static void permute(char *word, size_t first)
{
    if (word[first] == '\0') {
        printf("%s%s", word, ++count % 8 ? "  " : "\n");
        return;
    }

    for (size_t i = first; word[i]; i++) {
        char c = word[first];
        word[first] = word[i];
        word[i] = c;

        permute(word, first + 1);

        word[i] = word[first];
        word[first] = c;
    }
}

int main(int argc, char **argv)
{
    char word[9] = "codr";

    if (argc > 1) {
        strncpy(word, argv[1], sizeof(word) - 1);
    }

    permute(word, 0);
    printf("\n%d permutations of \"%s\".\n", count, word);
    return 0;
}
