// Plans of images, and what goes for an item's files together.
#include <vector>

#include "imgmill/base/path_text.h"
#include "imgmill/engine/engine.h"

namespace imgmill {

ItemPlan::ItemPlan(const ImageHeader& header, const ReadOptions& options, const RegionPlan& region_plan)
    : reading(options),
      input(ReadLayout(header, options)),
      regions(region_plan),
      decode(ReadFootprint(header, options)) {}

ItemPlan ItemPlan::WithoutPixels(const Footprint& work) {
  ItemPlan plan;
  plan.needs_pixels = false;
  plan.work = work;
  return plan;
}

Footprint ItemPlan::total() const {
  return needs_pixels ? decode + work + RegionFootprint(input, regions) : work;
}

ContentDigest Item::WorkContent() const {
  if (partners.empty()) return main.content;
  std::vector<ContentDigest> all = {main.content};
  for (const SourceFile& partner : partners) all.push_back(partner.content);
  return DigestOfBytes(all.data(), all.size() * sizeof(ContentDigest));
}

Error OfSidecar(const std::string& path, Error error) {
  error.message = "its side-car " + PrintablePath(path) + ": " + error.message;
  return error;
}

Error OfPartner(const std::string& path, Error error) {
  error.message = "its partner " + PrintablePath(path) + ": " + error.message;
  return error;
}

Result<std::unique_ptr<RowReader>> Operation::Open(const Item& item, const ItemPlan& plan) const {
  return OpenRows(item.main.path, item.main.header, plan.reading);
}

}  // namespace imgmill
