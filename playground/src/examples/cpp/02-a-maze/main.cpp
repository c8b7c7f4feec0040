// A maze that digs itself by recursion; another one on every run.

#include <algorithm>
#include <array>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

constexpr int WIDTH = 41, HEIGHT = 19;

std::vector<std::string> maze(HEIGHT, std::string(WIDTH, '#'));
std::mt19937 chance{std::random_device{}()};

void dig(int x, int y)
{
    std::array<std::pair<int, int>, 4> ways{
        {{0, -2}, {0, 2}, {-2, 0}, {2, 0}}};

    maze[y][x] = ' ';
    std::shuffle(ways.begin(), ways.end(), chance);

    for (auto [dx, dy] : ways) {
        int nx = x + dx, ny = y + dy;
        if (nx > 0 && ny > 0 && nx < WIDTH - 1 && ny < HEIGHT - 1
            && maze[ny][nx] == '#') {
            maze[y + dy / 2][x + dx / 2] = ' ';
            dig(nx, ny);
        }
    }
}

int main()
{
    dig(1, 1);
    maze[0][1] = maze[HEIGHT - 1][WIDTH - 2] = ' ';

    for (const auto &row : maze) {
        for (char cell : row) {
            std::cout << (cell == '#' ? "█" : " ");
        }
        std::cout << '\n';
    }
}
