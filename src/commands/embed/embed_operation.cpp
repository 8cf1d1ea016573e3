// Vectors row by row, and their places as facts beside the notes of the image.
#include "embed_operation.h"

#include <algorithm>
#include <cmath>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/pool_array.h"
#include "vector_kinds.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

struct EmbedPayload final : Payload {
  EmbeddedImage image;
};

/// What is known of the file itself.
void Describe(const SourceFile& file, EmbeddedImage& image) {
  image.absolute = file.absolute;
  image.is_link = file.is_link;
  image.content = file.content;
  image.stamp = file.stamp;
  image.width = file.upright_width;
  image.height = file.upright_height;
}

}  // namespace

bool Normalise(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
  if (!std::isfinite(squares) || squares <= 0) return false;
  const double factor = 1 / std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(static_cast<double>(value) * factor);
  return true;
}

Result<OpenedEmbedding> OpenEmbedding(const EmbeddingOptions& options, const CommandServices& services,
                                      std::vector<int> poses) {
  std::unique_ptr<Embedder> embedder = TRY(MakeEmbedder(options, services));
  embedder->AskForPoses(std::move(poses));
  OpenedEmbedding opened = TRY(WithVectors(std::move(embedder), services));
  if (!options.model_name.empty() && !opened.store.file)
    return NoVectors(*services.catalog, opened.embedder->kind(), opened.embedder->dimension());
  return opened;
}

Result<OpenedEmbedding> WithVectors(std::unique_ptr<Embedder> embedder, const CommandServices& services) {
  Catalog& catalog = *services.catalog;
  const auto open = [&](const std::string& kind) -> Result<std::unique_ptr<VectorFile>> {
    if (catalog.folder().empty()) return std::unique_ptr<VectorFile>();
    return VectorFile::Open(catalog.folder(), kind, 0);
  };
  OpenedEmbedding opened{std::move(embedder), {&catalog, nullptr}, {&catalog, nullptr}, {}};
  std::unique_ptr<VectorFile> own = TRY(open(opened.embedder->kind()));
  opened.store.file = std::move(own);
  if (opened.embedder->poses().empty()) return opened;
  std::unique_ptr<VectorFile> posed = TRY(open(opened.embedder->PosedKind()));
  opened.posed.file = std::move(posed);
  KnownPoses others = TRY(KnownPoses::Open(catalog, *opened.embedder, services.shared->allow_truncated));
  opened.others = std::move(others);
  return opened;
}

class EmbedOperation::Task final : public ItemTask {
 public:
  /// @param known  vectors that are there already: only the notes are made
  Task(EmbedOperation& operation, const Item& item, const ItemPlan& plan, std::optional<Places> known)
      : operation_(operation),
        item_(item),
        known_(known),
        embedding_(known ? nullptr : operation.embedder_.Start(plan.input)),
        meter_(item.main, plan.reading, plan.input) {}

  Status Map(const Region& region) override {
    if (embedding_) embedding_->Add(region.view);
    meter_.Add(region.view);
    return {};
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<EmbedPayload>();
    EmbeddedImage& image = payload->image;
    Describe(item_.main, image);
    if (known_) {
      image.place = known_->own;
      image.posed = known_->posed;
      image.vectors = operation_.FileOf(operation_.known_);
    } else {
      TRY(Embed(outcome));
    }
    const ImageNotes notes = TRY(meter_.Finish());
    image.notes = notes;
    Catalog& catalog = known_ ? *operation_.known_.catalog : *operation_.kept_.catalog;
    TRY(catalog.PutFact(item_.main.content, operation_.notes_fact_, Packed(image.notes)));
    if (!known_) TRY(Keep(image));
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  Status Embed(Outcome& outcome) {
    // Behind another operation it is not known to be needed before the first image that is kept.
    TRY(operation_.Prepare());
    const auto dimension = static_cast<size_t>(operation_.embedder_.dimension());
    const std::span<const int> poses = operation_.embedder_.poses();
    vector_.resize(dimension);
    posed_.resize(poses.size() * dimension);
    const std::vector<int> missing = TRY(TakeKnown());
    PoolArray<float> vectors(missing.size() * dimension);
    TRY(embedding_->Finish(missing, vectors.span(), outcome.rung));
    const auto finite = [](float value) { return std::isfinite(value); };
    for (size_t i = 0; i < missing.size(); ++i) {
      const std::span<float> vector = vectors.span().subspan(i * dimension, dimension);
      if (!(operation_.embedder_.OfLengthOne() ? Normalise(vector)
                                               : std::all_of(vector.begin(), vector.end(), finite)))
        return Error{Stage::kCompute, Code::kModelError,
                     "the model gives a vector whose length is infinite, not a number or 0 (is its input "
                     "described correctly?)"};
      const auto place = std::ranges::find(poses, missing[i]) - poses.begin();
      std::ranges::copy(vector, missing[i] == 0
                                    ? vector_.begin()
                                    : posed_.begin() + place * static_cast<std::ptrdiff_t>(dimension));
    }
    return {};
  }

  /// @return the poses in which the image is still to be embedded: at least one, or it would not be here
  Result<std::vector<int>> TakeKnown() {
    const std::span<const int> poses = operation_.embedder_.poses();
    std::vector<int> missing(poses.begin(), poses.end());
    bool own = false;
    if (!operation_.force_ && operation_.posed_ != nullptr && operation_.others_ != nullptr) {
      const ContentDigest& content = item_.main.content;
      const auto place = TRY(operation_.FindVector(operation_.known_, operation_.fact_, content));
      own = place && operation_.FileOf(operation_.known_)->Read(*place, vector_);
      std::vector<int> rest = TRY(operation_.others_->Find(content, poses, posed_));
      missing = std::move(rest);
    }
    // What another thread has put there meanwhile.
    if (!own || missing.empty()) missing.insert(missing.begin(), 0);
    return missing;
  }

  /// Of equal images that are worked on at once, the first one's row serves all: how many rows there are is
  /// not the threads' affair.
  Status Keep(EmbeddedImage& image) {
    const std::lock_guard lock(operation_.keep_mutex_);
    image.vectors = operation_.kept_.file.get();
    if (!posed_.empty())
      TRY(operation_.KeepIn(*operation_.posed_, operation_.posed_fact_, item_.main.content, posed_,
                            image.posed));
    // The place last: whoever finds it finds the rest.
    return operation_.KeepIn(operation_.kept_, operation_.fact_, item_.main.content, vector_, image.place);
  }

  EmbedOperation& operation_;
  const Item& item_;
  const std::optional<Places> known_;
  std::unique_ptr<ImageEmbedding> embedding_;
  std::vector<float> vector_, posed_;
  ImageMeter meter_;
};

EmbedOperation::EmbedOperation(Embedder& embedder, VectorStore& known, VectorStore* kept,
                               const CommandServices& services, bool needs_notes,
                               std::function<void(EmbeddedImage&)> on_image, VectorStore* posed,
                               const KnownPoses* others)
    : Operation({.name = "embed",
                 .fingerprint = VectorFact(embedder.kind(), services.shared->allow_truncated),
                 .prepares = true,
                 .takes_broken = services.shared->allow_truncated}),
      embedder_(embedder),
      known_(known),
      kept_(kept != nullptr ? *kept : known),
      needs_notes_(needs_notes),
      force_(services.shared->force),
      allow_truncated_(services.shared->allow_truncated),
      posed_(posed),
      others_(others),
      posed_fact_(posed == nullptr ? std::string() : VectorFact(embedder.PosedKind(), allow_truncated_)),
      notes_fact_("picture-rgb" + std::to_string(embedder.shrink_to_side()) + "/3" +
                  std::string(LenientMark(allow_truncated_))),
      on_image_(std::move(on_image)) {}

Result<ItemPlan> EmbedOperation::Plan(const Item& item) const {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;  // what lies under it is seen by nobody
  reading.bands = ReadOptions::Bands::kRgb;
  reading.shrink_to_side = embedder_.shrink_to_side();
  reading.allow_truncated = allow_truncated_;
  ItemPlan plan(item.main.header, reading, {kRowsPerRegion, 0});
  const size_t vector =
      (1 + embedder_.poses().size()) * static_cast<size_t>(embedder_.dimension()) * sizeof(float);
  plan.work = {embedder_.PooledBytes(plan.input) + ImageMeter::PooledBytes(plan.input) + vector, 64 * kKiB};
  return plan;
}

Result<bool> EmbedOperation::Recall(const Item& item, Outcome& outcome) {
  const std::optional<Places> places = TRY(FindVectors(item.main.content));
  if (!places) return false;
  auto payload = std::make_unique<EmbedPayload>();
  EmbeddedImage& image = payload->image;
  if (!Unpack(known_.catalog->FindFact(item.main.content, notes_fact_), image.notes) && needs_notes_)
    return false;
  Describe(item.main, image);
  image.place = places->own;
  image.posed = places->posed;
  image.vectors = FileOf(known_);
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Result<std::optional<EmbedOperation::Places>> EmbedOperation::FindVectors(const ContentDigest& content) {
  Places places;
  const std::optional<VectorFile::Place> own = TRY(FindVector(known_, fact_, content));
  if (!own) return std::optional<Places>();
  places.own = *own;
  if (posed_ == nullptr) return std::optional(places);
  const std::optional<VectorFile::Place> posed = TRY(FindPosed(content));
  if (!posed) return std::optional<Places>();
  places.posed = *posed;
  return std::optional(places);
}

Result<std::optional<VectorFile::Place>> EmbedOperation::FindPosed(const ContentDigest& content) {
  const std::optional<VectorFile::Place> posed = TRY(FindVector(*posed_, posed_fact_, content));
  if (posed || others_ == nullptr) return posed;
  const auto dimension = static_cast<size_t>(FileOf(known_)->dimension());
  const std::span<const int> poses = embedder_.poses();
  std::vector<float> row(poses.size() * dimension);
  const std::vector<int> missing = TRY(others_->Find(content, poses, row));
  if (!missing.empty()) return posed;
  const std::lock_guard keep(keep_mutex_);
  {
    const std::lock_guard lock(ready_mutex_);
    TRY(OpenFile(*posed_, embedder_.PosedKind(), row.size()));
  }
  VectorFile::Place place;
  TRY(KeepIn(*posed_, posed_fact_, content, row, place));
  return std::optional(place);
}

Result<std::optional<VectorFile::Place>> EmbedOperation::FindVector(const VectorStore& store,
                                                                    const std::string& fact,
                                                                    const ContentDigest& content) {
  const std::optional<VectorFile::Place> none;
  VectorFile* const file = FileOf(store);
  VectorFile::Place place;
  if (file == nullptr || !Unpack(store.catalog->FindFact(content, fact), place)) return none;
  // A power cut may have kept the fact and lost the vector.
  std::vector<float> vector(static_cast<size_t>(file->dimension()));
  if (const Status read = file->Read(place, vector); !read) {
    if (read.error().code == Code::kMalformed) return none;
    return read.error();
  }
  return std::optional(place);
}

Status EmbedOperation::KeepIn(VectorStore& store, const std::string& fact, const ContentDigest& content,
                              std::span<const float> row, VectorFile::Place& place) const {
  std::vector<float> known(row.size());
  if (!force_ && Unpack(store.catalog->FindFact(content, fact), place) && store.file->Read(place, known))
    return {};
  const VectorFile::Place appended = TRY(store.file->Append(row));
  place = appended;
  return store.catalog->PutFact(content, fact, Packed(place));
}

VectorFile* EmbedOperation::FileOf(const VectorStore& store) {
  const std::lock_guard lock(ready_mutex_);
  return store.file.get();
}

Status EmbedOperation::OpenFile(VectorStore& store, const std::string& kind, size_t dimension) {
  if (store.file) return {};
  std::unique_ptr<VectorFile> file =
      TRY(VectorFile::Open(store.catalog->folder(), kind, static_cast<int>(dimension)));
  store.file = std::move(file);
  return {};
}

Status EmbedOperation::Prepare() {
  const std::lock_guard lock(ready_mutex_);
  if (ready_) return {};
  TRY(embedder_.Prepare());
  const auto dimension = static_cast<size_t>(embedder_.dimension());
  TRY(OpenFile(kept_, embedder_.kind(), dimension));
  if (posed_ != nullptr) TRY(OpenFile(*posed_, embedder_.PosedKind(), embedder_.poses().size() * dimension));
  ready_ = true;
  return {};
}

Result<std::unique_ptr<ItemTask>> EmbedOperation::Start(const Item& item, const ItemPlan& plan) {
  const Status may = embedder_.MayCompute();
  std::optional<Places> known;
  if (!may || (needs_notes_ && !force_)) {
    const std::optional<Places> found = TRY(FindVectors(item.main.content));
    if (!may && !found) return may.error();
    known = found;
  }
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan, known));
}

void EmbedOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  EmbeddedImage& image = static_cast<EmbedPayload&>(*outcome.payload).image;
  image.file = outcome.file;
  on_image_(image);
}

}  // namespace imgmill
