// Entries are made of what embed tells of each image.
#include "dedup_vector_run.h"

#include <algorithm>
#include <vector>

#include "base/try.h"

namespace imgmill {
namespace {

class VectorRun final : public CommandRun {
 public:
  VectorRun(const EmbeddingOptions& embedding, const VectorSearch& search, const CommandServices& services,
            DedupPlaces places, OpenedEmbedding opened, std::unique_ptr<SecondLooker> look,
            VectorReduce reduce)
      : CommandRun(services),
        search_(search),
        services_(services),
        places_(std::move(places)),
        opened_(std::move(opened)),
        look_(std::move(look)),
        reduce_(std::move(reduce)),
        operation_(
            *opened_.embedder, opened_.store, nullptr, services, /*needs_notes=*/true,
            [this](EmbeddedImage& image) { Add(image); },
            opened_.embedder->poses().empty() ? nullptr : &opened_.posed, &opened_.others) {
    options.workers = EmbeddingWorkers(embedding, services);
    alone = true;  // the operation is embed's, which does not know of a reduce
  }
  Operation& operation() override { return operation_; }
  size_t ReduceBytes(uint64_t images) const override {
    if (!opened_.store.file) return 0;  // the vectors' dimension is not known yet
    return search_.Needs(images, opened_.store.file->dimension(), services_.workers()).total();
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    if (!result.counts.interrupted) opened_.embedder->Describe(result.details);
    return reduce_(std::move(result), entries_, {opened_.store.file.get(), opened_.posed.file.get()},
                   look_.get());
  }

 private:
  void Add(EmbeddedImage& image) {
    DedupEntry entry;
    entry.is_link = image.is_link;
    entry.file = std::move(image.file);
    entry.content = image.content;
    entry.stamp = image.stamp;
    entry.bytes = image.stamp.size;
    entry.width = image.width;
    entry.height = image.height;
    entry.notes = image.notes;
    entry.vector_row = image.place.row;
    entry.posed_row = image.posed.row;
    places_.Mark(entry.file.path, image.absolute, entry);
    entries_.Add(entry);
  }

  const VectorSearch search_;
  const CommandServices& services_;
  const DedupPlaces places_;
  OpenedEmbedding opened_;
  const std::unique_ptr<SecondLooker> look_;
  const VectorReduce reduce_;
  DedupTable entries_;
  EmbedOperation operation_;
};

}  // namespace

std::unique_ptr<CommandRun> MakeDedupVectorRun(const EmbeddingOptions& embedding, const VectorSearch& search,
                                               const CommandServices& services, DedupPlaces places,
                                               OpenedEmbedding opened, std::unique_ptr<SecondLooker> look,
                                               VectorReduce reduce) {
  return std::make_unique<VectorRun>(embedding, search, services, std::move(places), std::move(opened),
                                     std::move(look), std::move(reduce));
}

Result<std::vector<PosedDistance>> VectorDistances(const DedupTable& entries, const DedupVectors& vectors,
                                                   const PoseSet& poses, uint32_t a, uint32_t b) {
  const DedupEntry one = TRY(entries.At(a));
  const DedupEntry other = TRY(entries.At(b));
  const auto dimension = static_cast<size_t>(vectors.own->dimension());
  std::vector<float> posed(poses.size() * dimension);
  TRY(vectors.own->View(one.vector_row, 1,
                        [&](const float* row) { std::copy_n(row, dimension, posed.begin()); }));
  if (poses.others())
    TRY(vectors.posed->View(one.posed_row, 1, [&](const float* row) {
      std::copy_n(row, posed.size() - dimension, posed.begin() + static_cast<std::ptrdiff_t>(dimension));
    }));
  std::vector<PosedDistance> distances;
  TRY(vectors.own->View(other.vector_row, 1, [&](const float* row) {
    for (size_t i = 0; i < poses.size(); ++i) {
      const float cosine = DotScalar(posed.data() + i * dimension, row, dimension);
      distances.push_back({1 - std::min(1.0, static_cast<double>(cosine)), poses[i]});
    }
  }));
  std::stable_sort(distances.begin(), distances.end(),
                   [](const auto& x, const auto& y) { return x.distance < y.distance; });
  return distances;
}

}  // namespace imgmill
