// Data blocks that no browser shows, and the script that draws them.
#include "imgmill/report/group_page.h"

#include "base/try.h"
#include "group_page_parts.h"
#include "imgmill/report/data_uri.h"
#include "page_parts.h"

namespace imgmill {
namespace {

/// JSON that no HTML parser takes for the end of its block.
std::string BlockText(const nlohmann::ordered_json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

Status GroupPageWriter::Begin() {
  TRY(put_(PageHead(head_.title, GroupPageStyle())));
  return put_(GroupPageBody(head_.title, head_.failed));
}

Status GroupPageWriter::BeginGroup(const std::string& why, bool refused) {
  next_.image = 0;
  nlohmann::ordered_json title = {{"why", why}};
  if (refused) title["refused"] = true;
  return put_("<script type=\"application/json\" class=\"group\">[" + BlockText(title));
}

Status GroupPageWriter::Image(const GroupImage& image) {
  nlohmann::ordered_json json = {{"path", image.path},     {"link", image.link},   {"width", image.width},
                                 {"height", image.height}, {"bytes", image.bytes}, {"how", image.how}};
  if (!image.was.empty()) json["was"] = image.was;
  if (image.done) json["done"] = true;
  if (image.gone) json["gone"] = true;
  if (image.far > 0) json["far"] = image.far;
  if (image.box) json["box"] = *image.box;
  if (image.pose != 0) json["pose"] = image.pose;
  if (image.fixed) json["fixed"] = true;
  if (image.is_link) json["isLink"] = true;
  if (!image.linked_by.empty()) json["linkedBy"] = image.linked_by;
  if (image.names > 1) json["names"] = image.names;
  if (!image.identity.is_null()) json["identity"] = image.identity;
  return put_(",\n" + BlockText(json));
}

Status GroupPageWriter::EndImages() {
  return put_("]</script><script type=\"text/plain\" class=\"pictures\">");
}

Status GroupPageWriter::Picture(const std::string& key, const std::string& jpeg) {
  if (next_.image > 0) TRY(put_("\n"));
  const Place here = next_;
  ++next_.image;
  if (const auto before = shown_.find(key); before != shown_.end())
    return put_("=" + std::to_string(before->second.group) + " " + std::to_string(before->second.image));
  if (!jpeg.empty() && shown_.size() < kMostShown) shown_.emplace(key, here);
  return put_(JpegUri(jpeg));
}

Status GroupPageWriter::EndGroup() {
  ++next_.group;
  return put_("</script>\n");
}

Status GroupPageWriter::End(const std::string& id) {
  const nlohmann::ordered_json head = {{"id", id},
                                       {"title", head_.title},
                                       {"decides", head_.decides},
                                       {"acted", head_.acted},
                                       {"folder", head_.folder}};
  TRY(put_("<script type=\"application/json\" id=\"head\">" + BlockText(head) + "</script>\n<script>"));
  TRY(put_(GroupPageScript()));
  return put_("</script>\n</body>\n</html>\n");
}

}  // namespace imgmill
