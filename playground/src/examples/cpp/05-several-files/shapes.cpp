#include "shapes.h"

#include <cmath>

namespace {

class Circle : public Shape {
public:
    explicit Circle(double radius) : radius_(radius) {}
    std::string name() const override { return "circle"; }
    double area() const override { return M_PI * radius_ * radius_; }

private:
    double radius_;
};

class Rectangle : public Shape {
public:
    Rectangle(double width, double height) : width_(width), height_(height) {}
    std::string name() const override { return "rectangle"; }
    double area() const override { return width_ * height_; }

private:
    double width_, height_;
};

}

std::vector<std::unique_ptr<Shape>> some_shapes()
{
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Circle>(1));
    shapes.push_back(std::make_unique<Rectangle>(2, 3));
    return shapes;
}
