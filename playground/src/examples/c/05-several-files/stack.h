#ifndef STACK_H
#define STACK_H

struct stack {
    int used;
    int items[100];
};

void stack_push(struct stack *stack, int item);
int stack_pop(struct stack *stack);

#endif
