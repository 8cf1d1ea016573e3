// The compute stage: tiles of many images, or whole ones, grouped by shape into micro-batches, on as many
// devices as there are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// A rectangle of a tile, in input pixels.
struct TilePart {
  int x = 0, y = 0, width = 0, height = 0;
};

/// One tile to be upscaled, or one image that becomes a vector. The input is 3-band planar float32, the
/// output what the model gives for it; or both are samples, for a model that takes them. An upscaled tile is
/// covered whole, but only the part above its own rectangle is promised to be right (the rest is context); a
/// vector is of the whole image.
struct TileJob {
  const float* input = nullptr;
  float* output = nullptr;
  SampleImage samples;
  SampleForm form = {.bits = 0};  ///< of the samples; no bits: it has planes
  int height = 0;
  int width = 0;
  /// The tile's own rectangle inside it, in input pixels.
  int own_x = 0, own_y = 0, own_width = 0, own_height = 0;

  // ---- filled by the scheduler
  bool done = false;
  Rung rung = Rung::kNone;
  /// Of a tile that was begun in parts, those that are not done yet, the next one last.
  std::vector<TilePart> parts_left;
};

/// Owns the threads that feed the devices, as many for each as its model's Streams (fewer where memory is
/// short: what they give does not depend on it); each takes the oldest waiting tile and up to micro-batch - 1
/// others of its shape. A group that is not full is run as it is (padded, so that the numerics do not change)
/// as soon as no image that could fill it is still in work, or admission is blocked: a partial group never
/// holds the budget.
class BatchScheduler {
 public:
  /// Leases what its batches need for as long as it lives: `largest_tile` is the longest side of a tile with
  /// context, or of an image. A refusal advises a budget with room for an item's lease of so many bytes, too.
  static Result<std::unique_ptr<BatchScheduler>> Open(BatchModel& model, const NumericsPlan& plan,
                                                      int largest_tile, MemoryManager& memory,
                                                      const StopFlag& stop, size_t item_bytes = 0);
  ~BatchScheduler();

  /// Runs all jobs; returns when they are done, or, once the run is to stop, with kInterrupted before that.
  /// Called by many workers at once.
  Status Run(std::span<TileJob> jobs);

  /// A worker announces that it is on an image whose tiles will come here, so that groups wait for it.
  class Visit {
   public:
    explicit Visit(BatchScheduler& scheduler);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    BatchScheduler& scheduler_;
  };

 private:
  struct Impl;
  explicit BatchScheduler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
