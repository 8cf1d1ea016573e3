// Metadata of turned pictures: what is taken out, and that packets made to waste time waste none.
#include "image/upright_metadata.h"

#include <doctest/doctest.h>

#include <ctime>
#include <functional>
#include <string>

using namespace imgmill;

namespace {

std::vector<uint8_t> Bytes(const std::string& text) {
  return {text.begin(), text.end()};
}

std::string Upright(const std::string& xmp) {
  std::vector<uint8_t> bytes = Bytes(xmp);
  MakeXmpUpright(bytes, true);
  return {bytes.begin(), bytes.end()};
}

std::string Times(size_t count, const std::string& text) {
  std::string all;
  while (count-- > 0) all += text;
  return all;
}

/// "8BIM", number, an empty name, length, bytes padded to an even number (Photoshop File Formats, image
/// resources).
std::string Resource(char high, char low, const std::string& content) {
  std::string text = std::string("8BIM") + high + low + std::string(2, '\0') + std::string(3, '\0');
  text += static_cast<char>(content.size());
  text += content;
  if (content.size() % 2 != 0) text += '\0';
  return text;
}

double SecondsOf(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();  // of the processor: others' work does not count
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("thumbnails go out of XMP and out of Photoshop's resources, the rest stays as it is") {
  const std::string space =
      "xmlns:x='http://ns.adobe.com/xap/1.0/' xmlns:t=\"http://ns.adobe.com/tiff/1.0/\"";
  CHECK(Upright("<r " + space +
                " t:Orientation='6'><x:Thumbnails><a/></x:Thumbnails>b<x:Thumbnails c='d'>e"
                "</x:Thumbnails>f</r>") == "<r " + space + " t:Orientation='1'>bf</r>");
  const std::string begin("Photoshop 3.0\0", 14);
  const std::string iptc = Resource(4, 4, "IPTC!"), last = Resource(4, 0x22, "exif");
  std::vector<uint8_t> resources =
      Bytes(begin + Resource(4, 0x0C, "JPEG") + iptc + Resource(4, 9, "old") + last + "rest");
  DropPhotoshopThumbnail(resources);
  CHECK(resources == Bytes(begin + iptc + last + "rest"));
}

TEST_CASE(
    "the sizes that XMP states become those of a piece, whether attributes or elements, and nothing else") {
  const auto sized = [](const std::string& xmp) {
    std::vector<uint8_t> bytes = Bytes(xmp);
    SetXmpSize(bytes, 12, 3456);
    return std::string(bytes.begin(), bytes.end());
  };
  const std::string spaces =
      "xmlns:t='http://ns.adobe.com/tiff/1.0/' xmlns:e=\"http://ns.adobe.com/exif/1.0/\"";
  CHECK(sized("<r " + spaces + " t:ImageWidth='4000' t:ImageLength = \"3\" e:PixelXDimension='1'/>") ==
        "<r " + spaces + " t:ImageWidth='12' t:ImageLength = \"3456\" e:PixelXDimension='12'/>");
  CHECK(sized("<r " + spaces +
              "><e:PixelXDimension> 4000 </e:PixelXDimension>5<e:PixelYDimension>30</e:PixelYDimension>") ==
        "<r " + spaces +
            "><e:PixelXDimension> 12 </e:PixelXDimension>5<e:PixelYDimension>3456</e:PixelYDimension>");
  // Another's property of that name, one whose name goes on, and one that is no number.
  const std::string others = "<r " + spaces + " x:ImageWidth='5' t:ImageWidthOfAll='5' t:ImageLength='all'/>";
  CHECK(sized(others) == others);
}

TEST_CASE("megabytes of what looks like thumbnails or prefixes take no seconds") {
  // Each was a matter of the square of the length: some minutes.
  const std::string xmp_space = "xmlns:x='http://ns.adobe.com/xap/1.0/'";
  CHECK(SecondsOf([&] { Upright(xmp_space + Times(200'000, "<x:Thumbnails></x:Thumbnails>")); }) < 2);
  std::string bindings;
  for (int i = 0; i < 100'000; ++i)
    bindings += "xmlns:p" + std::to_string(i) + "='http://ns.adobe.com/tiff/1.0/'";
  CHECK(SecondsOf([&] { Upright(bindings); }) < 2);
  CHECK(SecondsOf([&] { Upright(Times(1'000'000, "xmlns:")); }) < 2);
  CHECK(SecondsOf([&] {
          std::vector<uint8_t> sizes =
              Bytes("xmlns:t='http://ns.adobe.com/tiff/1.0/'" + Times(200'000, " t:ImageWidth='1'"));
          SetXmpSize(sizes, 123, 456);
        }) < 2);
  std::vector<uint8_t> resources =
      Bytes(std::string("Photoshop 3.0\0", 14) + Times(500'000, Resource(4, 0x0C, "")));
  CHECK(SecondsOf([&] { DropPhotoshopThumbnail(resources); }) < 2);
  CHECK(resources.size() == 14);
}
