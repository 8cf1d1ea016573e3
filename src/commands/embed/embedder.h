// The two ways from an image to a vector, as one: the built-in descriptor, or a model on the batch scheduler.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"
#include "imgmill/engine/operation.h"
#include "imgmill/signals/signal_set.h"

namespace imgmill {

/// One image on its way to its vector. Lives on one worker thread.
class ImageEmbedding {
 public:
  virtual ~ImageEmbedding() = default;
  /// Rows of Reading's form, in order.
  virtual void Add(const ImageView& rows) = 0;
  /// After the last row: dimension() floats, not yet brought to length 1, for each of these poses, one behind
  /// the other.
  /// @param poses  of the embedder's, in order; before them 0, as it is, if that is wanted
  virtual Status Finish(std::span<const int> poses, std::span<float> vectors, Rung& rung) = 0;
};

/// The pose in which an image is.
inline constexpr int kAsItIs[] = {0};

class Embedder {
 public:
  virtual ~Embedder() = default;
  /// Everything that determines a vector besides the image: the vectors' name in a catalog.
  virtual const std::string& kind() const = 0;
  /// Floats in a vector; 0 until Prepare has been called.
  virtual int dimension() const = 0;
  /// Rows are 8-bit RGB on white; a JPEG may be shrunk to this side.
  virtual int shrink_to_side() const = 0;
  /// Poses in which each image is to be embedded beside that in which it is (PixelOfPose). Asked for before
  /// anything else; none else.
  void AskForPoses(std::vector<int> poses) { poses_ = std::move(poses); }
  std::span<const int> poses() const { return poses_; }
  /// As kind(): of the vectors of all these poses, one behind the other.
  std::string PosedKind() const;
  /// Bytes that one ImageEmbedding takes from the pool.
  virtual size_t PooledBytes(const Layout& input) const = 0;
  virtual std::unique_ptr<ImageEmbedding> Start(const Layout& input) = 0;

  /// Whether a vector means its direction only, so that it is brought to length 1.
  virtual bool OfLengthOne() const { return true; }

  virtual Status Prepare() { return {}; }

  /// Why no vector can be made; an image whose vector is not known fails with this.
  virtual Status MayCompute() const { return {}; }

  /// What the command's document says of how the vectors were made: "model", "plan".
  virtual void Describe(JsonObject& details) const = 0;

 private:
  std::vector<int> poses_;
};

/// The model's file is read for its digest only, where the catalog knows the network: Prepare loads it.
Result<std::unique_ptr<Embedder>> MakeEmbedder(const EmbeddingOptions& options,
                                               const CommandServices& services);

/// Images to have in work at once, where a model runs on each, and in general.
int ModelWorkers(const CommandServices& services);
int EmbeddingWorkers(const EmbeddingOptions& options, const CommandServices& services);

/// A network that judges images: its vector is one number, a signal.
struct Scorer {
  std::string path;  ///< of its weights
  Signal signal;
  bool on_clip = false;  ///< it judges CLIP's vectors
  std::unique_ptr<Embedder> network;
};

/// As MakeEmbedder.
/// @param clip  the weights of CLIP for a head that judges its vectors; may be empty
Result<Scorer> MakeScorer(const std::string& path, const std::string& clip, const CommandServices& services);

/// A network that compares images, by the squared distance of its vectors. As MakeEmbedder.
Result<std::unique_ptr<Embedder>> MakeComparer(const std::string& path, const CommandServices& services);

std::unique_ptr<Embedder> MakeBuiltinEmbedder();
/// The kind of vectors that were imported under a name.
inline std::string ImportedKind(const std::string& name) {
  return "imported/1 " + name;
}
/// Of vectors that were imported under this name; it makes none.
std::unique_ptr<Embedder> MakeImportedEmbedder(const std::string& name);
Result<std::unique_ptr<Embedder>> MakeModelEmbedder(const EmbeddingOptions& options,
                                                    const CommandServices& services);

}  // namespace imgmill
