// LPIPS of a pair of any size: the network of compare's --lpips, and tiles of both images cut from rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/metrics/pair_meter.h"

namespace imgmill {

/// The weights of an LPIPS with its backbone, and where they run.
class LpipsNetwork {
 public:
  /// Loads the network only if the catalog has not seen it before. Errors say what the file is instead.
  static Result<std::unique_ptr<LpipsNetwork>> Open(const std::string& path, const CommandServices& services);
  ~LpipsNetwork();

  /// Everything that determines a distance besides the two images.
  const std::string& kind() const { return kind_; }
  /// Loads the network and opens its scheduler, if that has not been done.
  Status Prepare();
  void Describe(JsonObject& details) const;

  // From Prepare on.
  BatchScheduler& scheduler() const { return *scheduler_; }
  const ModelInfo& info() const { return model_->info(); }

 private:
  LpipsNetwork(std::string path, const CommandServices& services);
  Status Load();

  const std::string path_;
  const CommandServices& services_;
  std::string kind_;
  std::shared_ptr<EmbeddingModel> model_;
  std::unique_ptr<BatchScheduler> scheduler_;  // after the model that it runs
};

/// Where the tiles of a side of some length lie: their own parts do not overlap, what they see does.
struct LpipsTile {
  int64_t first = 0, end = 0;          ///< of what it sees
  int64_t own_first = 0, own_end = 0;  ///< multiples of a cell but for the image's end
};
std::vector<LpipsTile> LpipsTiles(int64_t length);

/// Fed with the rows of both images from the top. Whole bands of tiles are kept, and their distances summed
/// up when a band is full: the result does not depend on what else is in work.
class LpipsMeter {
 public:
  /// Images with a shorter side have no LPIPS: AlexNet's last layers would have no place.
  static constexpr int64_t kSmallestSide = 32;

  /// @throws OutOfMemory
  LpipsMeter(const PairShape& shape, const LpipsNetwork& network);
  /// Runs the tiles of a band if this was its last row.
  Status Add(const PlaneRow& a, const PlaneRow& b);
  /// After the last row. NaN where there is none.
  double Finish() const;
  /// The lowest rung that a tile needed.
  Rung rung() const { return rung_; }

  static size_t PooledBytes(const PairShape& shape);

 private:
  struct Cut {
    PoolArray<float> input;
    PoolArray<float> output;
  };

  float* RowOf(size_t image, size_t colour, int64_t y);
  Status RunBand(const LpipsTile& rows);
  TileJob CutTile(const LpipsTile& rows, const LpipsTile& columns, Cut& cut);
  void SumUp(const LpipsTile& rows, const LpipsTile& columns, const Cut& cut);
  void Forget(int64_t rows);

  const PairShape shape_;
  const LpipsNetwork& network_;
  const std::vector<LpipsTile> bands_, columns_;
  size_t band_ = 0;
  int64_t first_row_ = 0, rows_ = 0;  ///< that are kept: where they begin in the image, and how many
  int64_t kept_rows_ = 0;             ///< room for so many
  PoolArray<float> kept_;             ///< of each image, of each colour, so many rows; 0 to 1
  std::vector<Cut> cuts_;
  std::vector<double> sums_, places_;  ///< of each layer
  Rung rung_ = Rung::kNone;
};

}  // namespace imgmill
