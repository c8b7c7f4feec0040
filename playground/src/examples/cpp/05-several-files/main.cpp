// Shapes behind one interface: see shapes.h and shapes.cpp.

#include "shapes.h"

#include <iostream>

int main()
{
    for (const auto &shape : some_shapes()) {
        std::cout << shape->name() << ": " << shape->area() << '\n';
    }
}
