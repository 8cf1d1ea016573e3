// The depth-first schedule. Stage 0 turns planar input into channels-last rows, stage k is convolution k - 1.
// In step s, stage k makes tile row s - 2k (four rows of pixels). It reads rows up to one tile row further
// down, which the stage above finished in the step before, so all stages of a step are independent.
#include "torch/kernels/conv_chain.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "torch/kernels/tile_rows.h"

namespace imgmill {
namespace {

// A stage reads rows 4t - 1 to 4t + 4 while the one above writes rows up to 4t + 11.
constexpr int kRingRows = 13;

}  // namespace

/// Where everything lies in the working memory of one call, in floats.
struct ConvChainLayout {
  ConvChainLayout(const std::vector<ConvLayer>& layers, int width, int threads) {
    size_t next = 0;
    const auto take = [&](size_t count) {
      const size_t taken = next;
      next += Aligned(count);
      return taken;
    };
    int most = 0;
    for (const ConvLayer& layer : layers) {
      most = std::max({most, layer.in_channels, layer.out_channels});
      rings.push_back(
          take(kRingRows * RowPixels(width) * static_cast<size_t>(PaddedChannels(layer.in_channels))));
    }
    const size_t pixels = static_cast<size_t>(4 * TileCount(width));
    last_rows = take(4 * pixels * static_cast<size_t>(PaddedChannels(layers.back().out_channels)));
    zero_floats = RowPixels(width) * static_cast<size_t>(PaddedChannels(most));
    zero_row = take(zero_floats);
    scratch_floats = Aligned(ConvScratchFloats(most));
    scratch = take(scratch_floats * static_cast<size_t>(threads));
    floats = next;
  }

  std::vector<size_t> rings;  ///< what each layer reads
  size_t last_rows, zero_row, zero_floats, scratch, scratch_floats, floats;
};

/// One call of ConvChain::Run.
class ConvChainWork final : public TeamWork {
 public:
  ConvChainWork(const ConvChain& chain, const ConvChainLayout& layout, const KernelImage& image,
                uint8_t* work)
      : chain_(chain),
        layout_(layout),
        image_(image),
        work_(reinterpret_cast<float*>(work)),
        height_(image.height),
        width_(image.width),
        tile_rows_(TileCount(height_)),
        tiles_(TileCount(width_)),
        blocks_(TileBlocks(tiles_)),
        stages_(static_cast<int>(chain.layers_.size()) + 1) {
    for (int stage = 0; stage + 1 < stages_; ++stage) ClearMargins(stage);
    std::memset(work_ + layout.zero_row, 0, layout.zero_floats * sizeof(float));
  }

  bool finite() const { return finite_; }

  int steps() const override { return tile_rows_ + 2 * (stages_ - 1); }
  int tasks(int) const override { return stages_ * blocks_; }

  void Run(int step, int task, int worker) noexcept override {
    const int stage = task / blocks_, block = task % blocks_;
    const int tile_row = step - 2 * stage;
    if (tile_row < 0 || tile_row >= tile_rows_) return;
    const TileSpan tiles = TilesOf(tiles_, block, blocks_);
    const int left = 4 * tiles.first, right = std::min(4 * tiles.end, width_);
    if (stage == 0) {
      Interleave(tile_row, left, right);
      return;
    }
    ConvRows rows;
    rows.width = width_;
    ConvInput& in = rows.in[0];
    in.stride = in.channels = static_cast<int>(Channels(stage - 1));
    for (int i = 0; i < 6; ++i) in.rows[i] = RowToRead(stage - 1, 4 * tile_row - 1 + i);
    const bool last = stage == stages_ - 1;
    for (int i = 0; i < 4 && 4 * tile_row + i < height_; ++i) {
      rows.out[i] = last ? last_rows() + static_cast<size_t>(i * 4 * tiles_) * Channels(stage)
                         : RowToWrite(stage, 4 * tile_row + i);
    }
    float* scratch = work_ + layout_.scratch + static_cast<size_t>(worker) * layout_.scratch_floats;
    chain_.kernels_.run(chain_.layers_[static_cast<size_t>(stage - 1)], rows, tiles.first, tiles.count(),
                        scratch);
    if (last) Leave(tile_row, left, right);
  }

 private:
  float* last_rows() const { return work_ + layout_.last_rows; }
  /// Floats a pixel that stage gives.
  size_t Channels(int stage) const {
    const int channels = stage == 0 ? chain_.layers_[0].in_channels
                                    : chain_.layers_[static_cast<size_t>(stage - 1)].out_channels;
    return static_cast<size_t>(PaddedChannels(channels));
  }
  size_t RowFloats(int stage) const { return RowPixels(width_) * Channels(stage); }

  float* Row(int stage, int y) const {
    return work_ + layout_.rings[static_cast<size_t>(stage)] +
           static_cast<size_t>(y % kRingRows) * RowFloats(stage);
  }
  const float* RowToRead(int stage, int y) const {
    return y < 0 || y >= height_ ? work_ + layout_.zero_row : Row(stage, y);
  }
  float* RowToWrite(int stage, int y) const { return Row(stage, y) + Channels(stage); }

  /// The pixels left and right of the image stay zero in all rows: nothing writes there.
  void ClearMargins(int stage) const {
    const size_t channels = Channels(stage);
    const size_t used = static_cast<size_t>(width_ + 1) * channels;
    for (int y = 0; y < kRingRows; ++y) {
      float* row = Row(stage, y);
      std::memset(row, 0, channels * sizeof(float));
      std::memset(row + used, 0, (RowFloats(stage) - used) * sizeof(float));
    }
  }

  void Interleave(int tile_row, int x0, int x1) const {
    const size_t channels = Channels(0);
    const int used = chain_.layers_[0].in_channels;
    const size_t plane = static_cast<size_t>(height_) * static_cast<size_t>(width_);
    for (int y = 4 * tile_row; y < std::min(4 * tile_row + 4, height_); ++y) {
      const float* from = image_.input + static_cast<size_t>(y) * static_cast<size_t>(width_);
      float* to = RowToWrite(0, y) + static_cast<size_t>(x0) * channels;
      for (int x = x0; x < x1; ++x, to += channels) {
        std::memset(to, 0, channels * sizeof(float));
        for (int c = 0; c < used; ++c) to[c] = from[static_cast<size_t>(c) * plane + static_cast<size_t>(x)];
      }
    }
  }

  void Leave(int tile_row, int x0, int x1) {
    const size_t channels = Channels(stages_ - 1);
    for (int y = 4 * tile_row; y < std::min(4 * tile_row + 4, height_); ++y) {
      const float* row = last_rows() + static_cast<size_t>((y & 3) * 4 * tiles_) * channels;
      if (!chain_.tail_->Put(image_, y, x0, x1, row, channels)) finite_ = false;
    }
  }

  const ConvChain& chain_;
  const ConvChainLayout& layout_;
  const KernelImage image_;
  float* work_;
  int height_, width_, tile_rows_, tiles_, blocks_, stages_;
  std::atomic<bool> finite_ = true;
};

ConvChain::ConvChain(const ConvKernels& kernels, const std::vector<ChainLayer>& layers,
                     std::unique_ptr<const ChainTail> tail)
    : kernels_(kernels), tail_(std::move(tail)) {
  size_t floats = 0;
  for (const ChainLayer& layer : layers) {
    floats += Aligned(PackedWinogradFloats(layer.out_channels, layer.in_channels)) +
              2 * static_cast<size_t>(PaddedChannels(layer.out_channels));
  }
  weights_ = Buffer(floats * sizeof(float));
  float* next = reinterpret_cast<float*>(weights_.data());
  for (const ChainLayer& layer : layers) {
    float* packed = next;
    const ConvPacking packing = {layer.weights, layer.in_channels, nullptr, layer.in_channels,
                                 layer.out_channels};
    for (int block = 0; block < kernels.blocks(layer.out_channels); ++block)
      kernels.pack(packing, block, packed);
    next += Aligned(PackedWinogradFloats(layer.out_channels, layer.in_channels));
    const int padded = PaddedChannels(layer.out_channels);
    float *bias = next, *slope = next + padded;
    next += 2 * padded;
    for (int k = 0; k < padded; ++k) {
      const bool real = k < layer.out_channels;
      bias[k] = real && layer.bias != nullptr ? layer.bias[k] : 0.0f;
      slope[k] = real && layer.slope != nullptr ? layer.slope[k] : layer.common_slope;
    }
    layers_.push_back({layer.in_channels, layer.out_channels, packed, bias, slope, ConvEnd::kSlope, 1.0f});
  }
}

size_t ConvChain::WorkBytes(int /*height*/, int width, int threads) const {
  return ConvChainLayout(layers_, width, threads).floats * sizeof(float);
}

bool ConvChain::Run(const KernelImage& image, uint8_t* work, WorkerTeam& team) const {
  const ConvChainLayout layout(layers_, image.width, team.threads());
  ConvChainWork run(*this, layout, image, work);
  team.Do(run);
  return run.finite();
}

}  // namespace imgmill
