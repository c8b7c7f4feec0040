// Heap sort, drawn in place: each line is a number.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

void draw(const std::vector<int> &numbers, std::size_t sorted)
{
    std::cout << "\033[H\033[2JHeap sort\n\n";
    for (std::size_t i = 0; i < numbers.size(); i++) {
        std::cout << (i >= sorted ? "\033[36m" : "\033[90m");
        for (int j = 0; j < numbers[i]; j++) {
            std::cout << "██";
        }
        std::cout << "\033[0m " << numbers[i] << '\n';
    }
    std::cout << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
}

int main()
{
    std::vector<int> numbers(16);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::shuffle(numbers.begin(), numbers.end(), std::random_device{});

    std::make_heap(numbers.begin(), numbers.end());
    for (auto end = numbers.end(); end != numbers.begin(); --end) {
        draw(numbers, static_cast<std::size_t>(end - numbers.begin()));
        std::pop_heap(numbers.begin(), end);
    }
    draw(numbers, 0);
    std::cout << "\nSorted.\n";
}
