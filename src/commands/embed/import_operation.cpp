// Vectors from a temporary file into the catalog's, image by image.
#include "import_operation.h"

#include "base/try.h"
#include "commands/pack/packed_fact.h"

namespace imgmill {
namespace {

struct ImportPayload final : Payload {
  EmbeddedImage image;
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
    std::vector<float> vector(static_cast<size_t>(operation_.imported_.dimension()));
    TRY(operation_.imported_.vectors().Read(found, vector));
    TRY(operation_.Prepare());
    VectorFile& file = *operation_.store_.file;
    const VectorFile::Place place = TRY(file.Append(vector));
    outcome.payload = PayloadOf(item_.main, place, &file);
    return {};
  }

 private:
  ImportOperation& operation_;
  const Item& item_;
};

ImportOperation::ImportOperation(const ImportedVectors& imported, const std::string& kind, VectorStore& store,
                                 bool allow_truncated, std::function<void(EmbeddedImage&)> on_image)
    : Operation({"embed", VectorFact(kind, allow_truncated), /*prepares=*/true}),
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
  outcome.payload = PayloadOf(item.main, known, file);
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
  if (outcome.state != Outcome::State::kDone) return;
  EmbeddedImage& image = static_cast<ImportPayload&>(*outcome.payload).image;
  image.file = outcome.file;
  const std::string place = Packed(image.place);
  if (status_ && store_.catalog->FindFact(image.content, fact_) != place)
    status_ = store_.catalog->PutFact(image.content, fact_, place);
  on_image_(image);
}

}  // namespace imgmill
