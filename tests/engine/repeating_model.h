// A model simple enough to check by hand, and pictures for it, for the tests of the compute stage.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/memory/out_of_memory.h"

namespace imgmill::engine_test {

/// Enlarges twice by repeating pixels. Takes its working memory from the device's pool, as LibTorch does, so
/// that a device of small cap really refuses.
/// A picture is known by its first value, so that it can be counted where each was computed.
class RepeatingModel final : public UpscaleModel {
 public:
  RepeatingModel(MemoryManager& memory, size_t bytes_a_pixel)
      : memory_(memory), bytes_a_pixel_(bytes_a_pixel) {
    info_.architecture = "repeat";
    info_.scale = 2;
    info_.receptive_radius = 0;
  }
  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string&) const override { return {}; }
  BatchCost Cost(int n, int height, int width, WorkPlace) const override {
    BatchCost cost;
    cost.bytes =
        bytes_a_pixel_ * static_cast<size_t>(n) * static_cast<size_t>(height) * static_cast<size_t>(width);
    cost.exact = exact;
    return cost;
  }
  int Streams(int) const override { return streams; }
  Result<std::unique_ptr<ModelStream>> OpenStream(WorkPlace place, Precision) override {
    return std::unique_ptr<ModelStream>(std::make_unique<Stream>(*this, place));
  }

  Status Run(std::span<const BatchImage> batch, int n, int height, int width, WorkPlace place) {
    try {
      Pool& pool = place.IsDevice() ? *memory_.device(place.device()).pool() : HostPool();
      if (place.IsDevice()) ++forwards_on_devices_;
      batch_now_ = n;
      if (fails) {
        if (std::optional<Error> error = fails(place)) return *std::move(error);
      }
      Buffer work(pool, appetite * Cost(n, height, width, place).bytes);
      if (during) during(place);
      std::set<int> pictures;
      for (const BatchImage& picture : batch) pictures.insert(static_cast<int>(picture.input[0]));
      const std::lock_guard lock(mutex_);
      for (const int picture : pictures) ++computed_[{picture, place}];
      for (const BatchImage& picture : batch) {
        float* output = picture.output;
        for (int plane = 0; plane < 3; ++plane) {
          for (int y = 0; y < 2 * height; ++y) {
            for (int x = 0; x < 2 * width; ++x)
              *output++ = picture.input[(plane * height + y / 2) * width + x / 2];
          }
        }
      }
    } catch (const OutOfMemory& refusal) {
      return Error{Stage::kCompute, Code::kOutOfMemory, refusal.what()};
    }
    largest_batch_ = std::max(largest_batch_.load(), n);
    pixels_done_ += static_cast<int64_t>(n) * height * width;
    return {};
  }

  /// How often pictures were computed in a place, with any first value from `first` to before `end`.
  int Computed(WorkPlace place, int first = 0, int end = 1 << 20) const {
    const std::lock_guard lock(mutex_);
    int times = 0;
    for (const auto& [key, count] : computed_) {
      if (key.second == place && key.first >= first && key.first < end) times += count;
    }
    return times;
  }
  int Computed(int device, int first = 0, int end = 1 << 20) const {
    return Computed(WorkPlace::Device(device), first, end);
  }

  std::function<void(WorkPlace place)> during;  ///< while a batch holds its memory
  /// What a batch ends with instead of being computed.
  std::function<std::optional<Error>(WorkPlace place)> fails;
  bool exact = true;    ///< whether the forecast is
  int streams = 1;      ///< that keep a device busy
  size_t appetite = 1;  ///< what a batch really takes, in what is forecast
  std::atomic<int> forwards_on_devices_{0};
  std::atomic<int> batch_now_{0};  ///< of the call that was made last
  std::atomic<int> largest_batch_{0};
  std::atomic<int64_t> pixels_done_{0};

 private:
  struct Stream final : ModelStream {
    Stream(RepeatingModel& model_in, WorkPlace place_in) : model(model_in), place(place_in) {}
    Status Run(std::span<const BatchImage> batch, int n, int height, int width) override {
      return model.Run(batch, n, height, width, place);
    }
    RepeatingModel& model;
    const WorkPlace place;
  };

  MemoryManager& memory_;
  size_t bytes_a_pixel_;
  ModelInfo info_;
  mutable std::mutex mutex_;
  std::map<std::pair<int, WorkPlace>, int> computed_;  // by picture and place
};

struct Picture {
  Picture(int height, int width, int id = 0)
      : in(static_cast<size_t>(3 * height * width)), out(in.size() * 4) {
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 97);
    in[0] = static_cast<float>(id);
    job.input = in.data();
    job.output = out.data();
    job.height = height;
    job.width = width;
    job.own_height = height;
    job.own_width = width;
  }
  bool Right() const {
    for (int plane = 0; plane < 3; ++plane) {
      for (int y = 0; y < 2 * job.height; ++y) {
        for (int x = 0; x < 2 * job.width; ++x) {
          const int64_t source = (int64_t{plane} * job.height + y / 2) * job.width + x / 2;
          const int64_t target = (int64_t{plane} * 2 * job.height + y) * 2 * job.width + x;
          if (out[static_cast<size_t>(target)] != in[static_cast<size_t>(source)]) return false;
        }
      }
    }
    return true;
  }
  std::vector<float> in, out;
  TileJob job;
};

inline std::unique_ptr<MemoryManager> ManagerOf1GiB() {
  MemoryOptions options;
  options.host_budget = size_t{1} << 30;
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create(options);
  REQUIRE_MESSAGE(manager.ok(), (manager ? "" : manager.error().message));
  return *std::move(manager);
}

inline NumericsPlan PlanOf(int tile, int micro_batch) {
  NumericsPlan plan;
  plan.kernels = "test";
  plan.tile = tile;
  plan.micro_batch = micro_batch;
  return plan;
}

}  // namespace imgmill::engine_test
