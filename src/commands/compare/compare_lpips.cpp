// Tiles see so much around their own part that what they sum up is what the whole image would give there.
#include "compare_lpips.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "commands/model_loading.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Of a tile with what it sees around its own part, and that: exact for every network that is known, as
/// Prepare checks.
constexpr int kTileSide = 608, kContext = 112, kCell = 16;

/// Tiles of an image that are in the queue at once.
constexpr size_t kInFlight = 2;

/// The catalog's, of a file that is known to be an LPIPS: the layers it has.
constexpr char kLayersFact[] = "model-lpips/1";

EmbedderRequest Request() {
  EmbedderRequest request;
  request.task = ModelTask::kCompare;
  request.pairs = true;
  request.side = kTileSide;
  return request;
}

/// A side of both images' planes in a tile.
size_t PlaneFloats(const PairShape& shape) {
  const auto width = static_cast<size_t>(std::min<int64_t>(shape.width, kTileSide));
  const auto height = static_cast<size_t>(std::min<int64_t>(shape.height, kTileSide));
  return 2 * width * height;
}

/// The most that any network's vector has: SqueezeNet's seven layers.
constexpr size_t kMostLayers = 7;
constexpr size_t kCellsAcross = kTileSide / kCell;
constexpr size_t kMostOutputs = 2 * kMostLayers * kCellsAcross * kCellsAcross;

size_t Colours(const PairShape& shape) {
  return static_cast<size_t>(shape.colours);
}

size_t KeptFloats(const PairShape& shape) {
  return 2 * Colours(shape) * static_cast<size_t>(shape.width) *
         static_cast<size_t>(std::min<int64_t>(shape.height, kTileSide));
}

}  // namespace

LpipsNetwork::LpipsNetwork(std::string path, const CommandServices& services)
    : path_(std::move(path)), services_(services) {}
LpipsNetwork::~LpipsNetwork() = default;

Result<std::unique_ptr<LpipsNetwork>> LpipsNetwork::Open(const std::string& path,
                                                         const CommandServices& services) {
  std::unique_ptr<LpipsNetwork> network(new LpipsNetwork(path, services));
  const ContentDigest digest = TRY(DigestOfModel(path));
  network->kind_ = "lpips/1 " + digest.Hex() + " float32";
  if (!services.catalog->FindFact(digest, kLayersFact)) {
    TRY(network->Load());
    TRY(services.catalog->PutFact(digest, kLayersFact, Packed(network->info().pair_cells->layers)));
  }
  return network;
}

Status LpipsNetwork::Load() {
  ModelRuntime* runtime = TRY(services_.OpenModels());
  std::shared_ptr<EmbeddingModel> loaded = TRY(LoadGuarded<EmbeddingModel>(
      services_, path_, "lpips", [&] { return runtime->LoadEmbedder(path_, Request()); }));
  const std::optional<PairCells>& cells = loaded->info().pair_cells;
  if (!cells || cells->side != kCell || cells->context > kContext ||
      static_cast<size_t>(cells->across) != kCellsAcross ||
      static_cast<size_t>(loaded->info().dimension) > kMostOutputs)
    return Error{Stage::kConfigure, Code::kInternal, PrintablePath(path_) + ": its cells are not LPIPS's"};
  model_ = std::move(loaded);
  return {};
}

Status LpipsNetwork::Prepare() {
  if (scheduler_ != nullptr) return {};
  if (model_ == nullptr) TRY(Load());
  const NumericsPlan plan = model_->Plan(services_.memory->device(0).name());
  services_.log(LogLevel::kInfo, info().architecture + ", " + plan.Describe());
  services_.memory->Rebaseline();  // weights and LibTorch are in memory now: nobody's lease
  scheduler_ = TRY(BatchScheduler::Open(*model_, plan, 2 * kTileSide, *services_.memory, *services_.stop));
  return {};
}

void LpipsNetwork::Describe(JsonObject& details) const {
  details["lpips_model"] = PrintablePath(path_);
}

std::vector<LpipsTile> LpipsTiles(int64_t length) {
  std::vector<LpipsTile> tiles;
  for (int64_t own = 0; own < length;) {
    LpipsTile tile;
    tile.own_first = own;
    tile.first = std::max<int64_t>(0, own - kContext);
    tile.end = std::min(length, tile.first + kTileSide);
    tile.own_end = tile.end == length ? length : tile.end - kContext;
    own = tile.own_end;
    tiles.push_back(tile);
  }
  return tiles;
}

LpipsMeter::LpipsMeter(const PairShape& shape, const LpipsNetwork& network)
    : shape_(shape),
      network_(network),
      bands_(LpipsTiles(shape.height)),
      columns_(LpipsTiles(shape.width)),
      kept_rows_(std::min<int64_t>(shape.height, kTileSide)),
      kept_(KeptFloats(shape)),
      cuts_(std::min(kInFlight, columns_.size())),
      sums_(static_cast<size_t>(network.info().pair_cells->layers)),
      places_(sums_.size()) {
  for (Cut& cut : cuts_) {
    cut.input = PoolArray<float>(3 * PlaneFloats(shape));
    cut.output = PoolArray<float>(static_cast<size_t>(network.info().dimension));
  }
}

size_t LpipsMeter::PooledBytes(const PairShape& shape) {
  return (KeptFloats(shape) + kInFlight * (3 * PlaneFloats(shape) + kMostOutputs)) * sizeof(float);
}

float* LpipsMeter::RowOf(size_t image, size_t colour, int64_t y) {
  const size_t plane = image * Colours(shape_) + colour;
  return kept_.data() + (plane * static_cast<size_t>(kept_rows_) + static_cast<size_t>(y - first_row_)) *
                            static_cast<size_t>(shape_.width);
}

Status LpipsMeter::Add(const PlaneRow& a, const PlaneRow& b) {
  const int64_t y = first_row_ + rows_;
  const float factor = static_cast<float>(2 / shape_.peak);
  for (size_t image = 0; image < 2; ++image) {
    for (size_t colour = 0; colour < Colours(shape_); ++colour) {
      const float* from = (image == 0 ? a : b).planes[colour];
      float* to = RowOf(image, colour, y);
      for (int64_t x = 0; x < shape_.width; ++x) to[x] = from[x] * factor - 1;
    }
  }
  ++rows_;
  if (y + 1 < bands_[band_].end) return {};
  TRY(RunBand(bands_[band_]));
  ++band_;
  if (band_ < bands_.size()) Forget(bands_[band_].first - first_row_);
  return {};
}

/// Lets go of the first rows that are kept.
void LpipsMeter::Forget(int64_t rows) {
  const auto width = static_cast<size_t>(shape_.width);
  const auto left = static_cast<size_t>(rows_ - rows);
  for (size_t image = 0; image < 2; ++image) {
    for (size_t colour = 0; colour < Colours(shape_); ++colour) {
      float* const plane = RowOf(image, colour, first_row_);
      std::memmove(plane, plane + static_cast<size_t>(rows) * width, left * width * sizeof(float));
    }
  }
  first_row_ += rows;
  rows_ -= rows;
}

TileJob LpipsMeter::CutTile(const LpipsTile& rows, const LpipsTile& columns, Cut& cut) {
  const auto width = static_cast<size_t>(columns.end - columns.first);
  float* to = cut.input.data();
  for (size_t band = 0; band < 3; ++band) {
    const size_t colour = std::min(band, Colours(shape_) - 1);  // grey counts as three
    for (size_t image = 0; image < 2; ++image) {
      for (int64_t y = rows.first; y < rows.end; ++y, to += width)
        std::memcpy(to, RowOf(image, colour, y) + columns.first, width * sizeof(float));
    }
  }
  TileJob job;
  job.input = cut.input.data();
  job.output = cut.output.data();
  job.width = job.own_width = static_cast<int>(width);
  job.height = job.own_height = static_cast<int>(2 * (rows.end - rows.first));
  return job;
}

Status LpipsMeter::RunBand(const LpipsTile& rows) {
  for (size_t first = 0; first < columns_.size(); first += cuts_.size()) {
    std::vector<TileJob> jobs;
    for (size_t i = 0; i < cuts_.size() && first + i < columns_.size(); ++i)
      jobs.push_back(CutTile(rows, columns_[first + i], cuts_[i]));
    const Status ran = network_.scheduler().Run(jobs);
    for (const TileJob& job : jobs) rung_ = std::max(rung_, job.rung);
    if (!ran) return ran;
    for (size_t i = 0; i < jobs.size(); ++i) SumUp(rows, columns_[first + i], cuts_[i]);
  }
  return {};
}

void LpipsMeter::SumUp(const LpipsTile& rows, const LpipsTile& columns, const Cut& cut) {
  const auto cells = [](int64_t own, int64_t first) { return static_cast<size_t>((own - first) / kCell); };
  const size_t top = cells(rows.own_first, rows.first), left = cells(columns.own_first, columns.first);
  const size_t bottom = cells(rows.own_end + kCell - 1, rows.first);
  const size_t right = cells(columns.own_end + kCell - 1, columns.first);
  constexpr size_t kCells = kCellsAcross * kCellsAcross;
  for (size_t layer = 0; layer < sums_.size(); ++layer) {
    const float* const sums = cut.output.data() + layer * kCells;
    const float* const places = sums + sums_.size() * kCells;
    for (size_t y = top; y < bottom; ++y) {
      for (size_t x = left; x < right; ++x) {
        sums_[layer] += static_cast<double>(sums[y * kCellsAcross + x]);
        places_[layer] += static_cast<double>(places[y * kCellsAcross + x]);
      }
    }
  }
}

double LpipsMeter::Finish() const {
  double distance = 0;
  for (size_t layer = 0; layer < sums_.size(); ++layer) distance += sums_[layer] / places_[layer];
  return distance;
}

}  // namespace imgmill
