/* A stack of one's own: declared in stack.h, defined in stack.c. */

#include "stack.h"

#include <stdio.h>

int main(void)
{
    struct stack stack = { 0 };

    for (int i = 1; i <= 5; i++) {
        stack_push(&stack, i * i);
    }

    while (stack.used > 0) {
        printf("%d\n", stack_pop(&stack));
    }

    return 0;
}
