// The state of a cost model, shared by the model and the store that keeps it.
#pragma once

#include <mutex>
#include <vector>

#include "imgmill/memory/cost_model.h"
#include "memory/cost_envelope.h"

namespace imgmill {

struct CostModel::Impl {
  mutable std::mutex mutex;
  std::vector<CostPoint> points;
  mutable CostEnvelope envelope;
  mutable bool stale = false;  ///< points have changed since the envelope was fitted

  /// Fits when it must. To be called with the lock held, like CanPredict and Largest.
  const CostEnvelope& Envelope() const;
  bool CanPredict() const;
  double Largest() const;  ///< pixels that were seen
  void Observe(double pixels, size_t peak_bytes);
};

}  // namespace imgmill
