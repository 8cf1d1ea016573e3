#include "signals/grid_excess.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace imgmill {

void GridExcess::Add(uint64_t steps) {
  std::copy(last_.begin() + 1, last_.end(), last_.begin());
  last_.back() = static_cast<int64_t>(steps);
  if (++places_ < 5) return;
  const int64_t excess = 4 * last_[2] - (last_[0] + last_[1] + last_[3] + last_[4]);
  Phase& phase = phases_[static_cast<size_t>((places_ - 2) % 8)];
  ++phase.count;
  phase.sum += excess;
  phase.squares += static_cast<Wide>(excess) * excess;
}

double GridExcess::Prominence() const {
  if (places_ < 4 + 9) return 0;
  double spread = 0;  // of the places of a phase about its mean, all phases together
  for (const Phase& phase : phases_) {
    const Wide numerator = phase.count * phase.squares - static_cast<Wide>(phase.sum) * phase.sum;
    spread += static_cast<double>(numerator) / static_cast<double>(phase.count);
  }
  spread = std::sqrt(spread / static_cast<double>(places_ - 4 - 8));
  double first = 0, second = 0;
  for (const Phase& phase : phases_) {
    const double height = static_cast<double>(phase.sum) / std::sqrt(static_cast<double>(phase.count));
    second = std::max(second, std::min(first, height));
    first = std::max(first, height);
  }
  if (spread > 0) return (first - second) / spread;
  return first > second ? std::numeric_limits<double>::infinity() : 0;
}

}  // namespace imgmill
