#include "stack.h"

#include <stdio.h>
#include <stdlib.h>

void stack_push(struct stack *stack, int item)
{
    if (stack->used == 100) {
        fprintf(stderr, "the stack is full\n");
        exit(1);
    }
    stack->items[stack->used++] = item;
}

int stack_pop(struct stack *stack)
{
    return stack->items[--stack->used];
}
