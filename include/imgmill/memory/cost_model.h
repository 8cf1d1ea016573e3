// Predicts the peak bytes of a batch from its shape: fixed + a*N*H*W, learned from observed peaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// N images of H rows and W columns.
struct BatchShape {
  int64_t n = 1;
  int64_t height = 0;
  int64_t width = 0;
};

/// What a prediction belongs to. A change in any of these starts a new model.
struct CostKey {
  std::string model;   ///< digest of the weights and name of the architecture, or the operation's name
  std::string dtype;   ///< "float32"
  std::string device;  ///< "cpu", "cuda NVIDIA H200"
  int threads = 1;
  std::string library;  ///< "libtorch 2.13.0", "libvips 8.14.1"
};

/// Upper envelope over all observed peaks, never below any of them for its own shape. Thread-safe.
class CostModel {
 public:
  CostModel();
  ~CostModel();

  /// Nothing is predicted before two observations of different size: two small probes make it able to.
  bool CanPredict() const;
  size_t Predict(const BatchShape& shape) const;
  void Observe(const BatchShape& shape, size_t peak_bytes);
  /// The highest peak of batches of just this many pixels; nothing if there were none.
  std::optional<size_t> Seen(const BatchShape& shape) const;
  /// A prediction for work whose cost is known from a formula to within some factor, as decoding is: the
  /// formula's bytes take the place of the shape. Before two observations, and beyond the largest, the
  /// formula's own slope continues.
  size_t PredictFrom(size_t formula_bytes) const;
  void ObserveFrom(size_t formula_bytes, size_t peak_bytes);

 private:
  friend class CostStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Keeps cost models in one small versioned text file. A file that cannot be read is set aside (renamed to
/// *.corrupt) and `warnings` says so; learning then starts afresh.
class CostStore {
 public:
  explicit CostStore(std::string path);  ///< an empty path keeps nothing
  ~CostStore();
  std::shared_ptr<CostModel> Open(const CostKey& key);
  Status Save();
  const std::vector<std::string>& warnings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
