// Runs equal tiles in micro-batches of the plan's size, or, on lower rungs, in smaller batches and parts of
// tiles.
#include "tile_group.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"

namespace imgmill {
namespace {

constexpr int kBands = 3;
constexpr int kSmallestTile = 64;  // of a smaller one, context is most of the work

/// Copies a rectangle of planar float rows.
void CopyPlanes(const float* from, int from_height, int from_width, int from_y, int from_x, float* to,
                int to_height, int to_width, int to_y, int to_x, int height, int width) {
  for (int band = 0; band < kBands; ++band) {
    for (int y = 0; y < height; ++y) {
      const float* source =
          from +
          (static_cast<size_t>(band) * static_cast<size_t>(from_height) + static_cast<size_t>(from_y + y)) *
              static_cast<size_t>(from_width) +
          from_x;
      float* target =
          to +
          (static_cast<size_t>(band) * static_cast<size_t>(to_height) + static_cast<size_t>(to_y + y)) *
              static_cast<size_t>(to_width) +
          to_x;
      std::memcpy(target, source, static_cast<size_t>(width) * sizeof(float));
    }
  }
}

/// Replaces the last part by its pieces of `side` pixels at most each way, the top left one last. Whole or
/// not at all: a part that was lost here would be missing in the image.
void CutLast(int side, std::vector<TilePart>& parts) {
  const TilePart whole = parts.back();
  const auto pieces = [side](int length) { return static_cast<size_t>((length + side - 1) / side); };
  parts.reserve(parts.size() + pieces(whole.width) * pieces(whole.height));  // the only thing that can fail
  parts.pop_back();
  const size_t before = parts.size();
  for (int y = 0; y < whole.height; y += side) {
    for (int x = 0; x < whole.width; x += side) {
      parts.push_back(
          {whole.x + x, whole.y + y, std::min(side, whole.width - x), std::min(side, whole.height - y)});
    }
  }
  std::reverse(parts.begin() + static_cast<std::ptrdiff_t>(before), parts.end());
}

size_t PlanarFloats(int height, int width) {
  return static_cast<size_t>(kBands) * static_cast<size_t>(height) * static_cast<size_t>(width);
}

}  // namespace

int TileGroup::smallest_tile() const {
  // A global architecture looks at its whole input: another tile would be another result.
  return model_.info().receptive_radius < 0 ? 0 : kSmallestTile;
}

size_t TileGroup::ExpectedBytes(const Attempt& attempt) const {
  const TileJob& job = *jobs_[0];
  if (attempt.tile == 0 || attempt.tile >= plan_.tile)
    return predict_(std::max(1, attempt.micro_batch), job.height, job.width);
  const int side = attempt.tile + 2 * plan_.overlap;
  return predict_(1, std::min(side, job.height), std::min(side, job.width));
}

Result<ModelStream*> ThreadStreams::On(WorkPlace place) {
  std::unique_ptr<ModelStream>& stream = place == kCpuRung ? cpu_ : own_;
  if (stream == nullptr) {
    std::unique_ptr<ModelStream> opened = TRY(model_.OpenStream(place));
    stream = std::move(opened);
  }
  return stream.get();
}

Status TileGroup::Run(const Attempt& attempt) {
  ModelStream* stream = TRY(streams_.On(attempt.place));
  std::vector<TileJob*> left;
  for (TileJob* job : jobs_) {
    if (!job->done) left.push_back(job);
  }
  const bool in_parts = attempt.tile > 0 && attempt.tile < plan_.tile;
  const int batch = in_parts ? 1 : std::max(1, attempt.micro_batch);
  for (size_t first = 0; first < left.size(); first += static_cast<size_t>(batch)) {
    const std::span<TileJob* const> some =
        std::span(left).subspan(first, std::min(static_cast<size_t>(batch), left.size() - first));
    Status status;
    if (in_parts) {
      status = RunInParts(*stream, attempt.tile, *some[0]);
    } else {
      std::vector<BatchImage> images;
      for (const TileJob* job : some) images.push_back({job->input, job->output});
      status = stream->Run(images, batch, some[0]->height, some[0]->width);
    }
    if (!status) return status;
    for (TileJob* job : some) {
      job->done = true;
      job->rung = std::max(job->rung, attempt.rung);  // another device may have tried before
    }
  }
  return {};
}

Status TileGroup::RunInParts(ModelStream& stream, int side, TileJob& job) {
  const int scale = model_.info().scale;
  const int multiple = std::max(1, model_.info().tile_grid);
  const int part = std::max(multiple, side / multiple * multiple);
  std::vector<TilePart>& parts = job.parts_left;
  if (parts.empty()) parts.push_back({job.own_x, job.own_y, job.own_width, job.own_height});
  while (!parts.empty()) {
    const TilePart next = parts.back();
    if (next.width > part || next.height > part) {
      CutLast(part, parts);
      continue;
    }
    const int top = std::max(0, next.y - plan_.overlap);
    const int left = std::max(0, next.x - plan_.overlap);
    const int height = std::min(job.height, next.y + next.height + plan_.overlap) - top;
    const int width = std::min(job.width, next.x + next.width + plan_.overlap) - left;
    Buffer input(HostPool(), PlanarFloats(height, width) * sizeof(float));
    Buffer output(HostPool(), PlanarFloats(height * scale, width * scale) * sizeof(float));
    auto* in = reinterpret_cast<float*>(input.data());
    auto* out = reinterpret_cast<float*>(output.data());
    CopyPlanes(job.input, job.height, job.width, top, left, in, height, width, 0, 0, height, width);
    const BatchImage image = {in, out};
    TRY(stream.Run({&image, 1}, 1, height, width));
    CopyPlanes(out, height * scale, width * scale, (next.y - top) * scale, (next.x - left) * scale,
               job.output, job.height * scale, job.width * scale, next.y * scale, next.x * scale,
               next.height * scale, next.width * scale);
    parts.pop_back();
  }
  return {};
}

}  // namespace imgmill
