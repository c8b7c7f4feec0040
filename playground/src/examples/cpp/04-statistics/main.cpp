// Numbers from the input. See "Arguments and input" below.

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <numeric>
#include <vector>

int main()
{
    std::vector<double> numbers{std::istream_iterator<double>(std::cin), {}};

    if (numbers.empty()) {
        std::cerr << "no numbers\n";
        return 1;
    }

    std::sort(numbers.begin(), numbers.end());
    const double count = static_cast<double>(numbers.size());
    const double mean =
        std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
    double squares = 0;
    for (double n : numbers) {
        squares += (n - mean) * (n - mean);
    }

    std::cout << std::fixed << std::setprecision(2)
              << "count   " << numbers.size() << '\n'
              << "least   " << numbers.front() << '\n'
              << "median  " << numbers[numbers.size() / 2] << '\n'
              << "most    " << numbers.back() << '\n'
              << "mean    " << mean << '\n'
              << "spread  " << std::sqrt(squares / count) << '\n';
}
