// Vectors from a temporary file into the catalog's, image by image, in the order of the listing: so equal
// images get the same one in every run.
#include "import_operation.h"

#include <numeric>

#include "base/try.h"
#include "base/usage_error.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Vectors of equal images that are farther apart, as 1 less the cosine, were not made of the same picture.
/// Half floats and other orders of summing move them by less than 1e-6.
constexpr double kMostApart = 1e-4;

struct ImportPayload final : Payload {
  EmbeddedImage image;
  VectorFile::Place imported;  ///< in the temporary file
  bool recalled = false;       ///< the catalog has just that one
};

std::unique_ptr<ImportPayload> PayloadOf(const SourceFile& file, const VectorFile::Place& place,
                                         const VectorFile* vectors) {
  auto payload = std::make_unique<ImportPayload>();
  EmbeddedImage& image = payload->image;
  image.absolute = file.absolute;
  image.content = file.content;
  image.stamp = file.stamp;
  image.width = file.upright_width;
  image.height = file.upright_height;
  image.place = place;
  image.vectors = vectors;
  return payload;
}

}  // namespace

class ImportOperation::Task final : public ItemTask {
 public:
  Task(ImportOperation& operation, const Item& item) : operation_(operation), item_(item) {}
  Status Map(const Region&) override { return {}; }
  Status Finish(Outcome& outcome) override {
    const VectorFile::Place found = TRY(operation_.imported_.Find(item_.main.absolute));
    TRY(operation_.Prepare());
    auto payload = PayloadOf(item_.main, {}, operation_.store_.file.get());
    payload->imported = found;
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  ImportOperation& operation_;
  const Item& item_;
};

ImportOperation::ImportOperation(const ImportedVectors& imported, const std::string& kind, VectorStore& store,
                                 bool allow_truncated, std::function<void(EmbeddedImage&)> on_image)
    : Operation({.name = "embed",
                 .fingerprint = VectorFact(kind, allow_truncated),
                 .prepares = true,
                 .takes_broken = allow_truncated}),
      imported_(imported),
      kind_(kind),
      store_(store),
      on_image_(std::move(on_image)) {}

Result<ItemPlan> ImportOperation::Plan(const Item&) const {
  return ItemPlan::WithoutPixels({0, static_cast<size_t>(imported_.dimension()) * sizeof(float)});
}

Result<bool> ImportOperation::Recall(const Item& item, Outcome& outcome) {
  VectorFile* file = nullptr;
  {
    const std::lock_guard lock(mutex_);
    file = store_.file.get();
  }
  VectorFile::Place known;
  if (file == nullptr || !Unpack(store_.catalog->FindFact(item.main.content, fact_), known)) return false;
  // Told when it is worked on.
  const Result<VectorFile::Place> found = imported_.Find(item.main.absolute);
  if (!found || found->checksum != known.checksum) return false;
  std::vector<float> vector(static_cast<size_t>(file->dimension()));
  if (!file->Read(known, vector)) return false;
  auto payload = PayloadOf(item.main, known, file);
  payload->imported = *found;
  payload->recalled = true;
  outcome.payload = std::move(payload);
  outcome.state = Outcome::State::kDone;
  return true;
}

Status ImportOperation::Prepare() {
  const std::lock_guard lock(mutex_);
  if (store_.file) return {};
  std::unique_ptr<VectorFile> file =
      TRY(VectorFile::Open(store_.catalog->folder(), kind_, imported_.dimension()));
  store_.file = std::move(file);
  return {};
}

Result<std::unique_ptr<ItemTask>> ImportOperation::Start(const Item& item, const ItemPlan&) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
}

void ImportOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone || !status_) return;
  auto& payload = static_cast<ImportPayload&>(*outcome.payload);
  EmbeddedImage& image = payload.image;
  image.file = outcome.file;
  status_ = Keep(image, payload.imported, payload.recalled);
  if (status_) on_image_(image);
}

/// The vector that an equal image has got in this run, or what the catalog has, where it is that of the
/// table, or else that of the table as a new one.
Status ImportOperation::Keep(EmbeddedImage& image, const VectorFile::Place& imported, bool recalled) {
  VectorFile::Place known;
  const bool has = Unpack(store_.catalog->FindFact(image.content, fact_), known);
  const bool of_this_run = has && known.row < given_.size() && given_[known.row];
  if (of_this_run) {
    image.place = known;
    return known.checksum == imported.checksum ? Status() : CheckNear(image, imported);
  }
  if (!recalled || !has || known.row != image.place.row) {
    std::vector<float> own(static_cast<size_t>(imported_.dimension()));
    TRY(imported_.vectors().Read(imported, own));
    const VectorFile::Place place = TRY(store_.file->Append(own));
    image.place = place;
    TRY(store_.catalog->PutFact(image.content, fact_, Packed(place)));
  }
  if (given_.size() <= image.place.row) given_.resize(image.place.row + 1);
  given_[image.place.row] = true;
  return {};
}

/// kUsage where the table's vector is another than the one at the image's place, which an equal image has.
Status ImportOperation::CheckNear(const EmbeddedImage& image, const VectorFile::Place& imported) const {
  std::vector<float> own(static_cast<size_t>(imported_.dimension())), first = own;
  TRY(imported_.vectors().Read(imported, own));
  TRY(store_.file->Read(image.place, first));
  if (1 - std::inner_product(own.begin(), own.end(), first.begin(), 0.0) <= kMostApart) return {};
  const uint64_t row = TRY(imported_.RowOf(image.absolute));
  return UsageError(imported_.NameOfRows(imported_.RowWith(image.place.checksum), row) +
                    " are of equal images and differ, the second of " + PrintablePath(image.file.path) +
                    ": one content has one vector (remove a row, or leave the image out)");
}

}  // namespace imgmill
