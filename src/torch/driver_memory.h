// What an NVIDIA driver says of a card's memory without LibTorch, which knows nothing before it has made its
// context.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// Bytes.
struct DriverMemory {
  size_t free = 0;
  size_t total = 0;
  /// What this process holds, as far as the driver tells it: not in every container.
  std::optional<size_t> own = std::nullopt;
};

/// One card, through the driver's two libraries of plain C functions, which are there wherever CUDA works.
/// They are opened by name: nothing of CUDA is needed to build this, or to run it where there is no such
/// card.
class DriverCard {
 public:
  /// The libraries' names; others are for tests.
  struct Libraries {
    std::string cuda = "libcuda.so.1";
    std::string management = "libnvidia-ml.so.1";
  };

  /// @param index  as CUDA counts the cards that this process may use
  /// @return null where the driver is of another vendor, or cannot be asked
  static std::unique_ptr<DriverCard> Find(int index, const Libraries& libraries);
  static std::unique_ptr<DriverCard> Find(int index) { return Find(index, Libraries()); }
  ~DriverCard();
  DriverCard(const DriverCard&) = delete;
  DriverCard& operator=(const DriverCard&) = delete;

  std::optional<DriverMemory> Ask() const;

  /// Makes the context that CUDA's runtime, and LibTorch with it, will use. kOutOfMemory if the driver
  /// refuses.
  Status MakeContext();
  /// Gives it up again, as long as nobody else uses it.
  void DropContext() noexcept;

 private:
  struct Functions;
  DriverCard();
  std::unique_ptr<Functions> functions_;
  int device_ = 0;           // CUDA's handle
  void* managed_ = nullptr;  // NVML's
  bool has_context_ = false;
};

}  // namespace imgmill
