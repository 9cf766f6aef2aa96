// Places where the shop's customers live: real names, a postal code of the place, rough coordinates, inhabitants in thousands.
// A line: state|city|postal code|latitude|longitude|thousands. Weights count within a country; geography.ts has the countries' shares.

export const placesByCountry: Record<string, string> = {
  China: `
Guangdong|Guangzhou|510000|23.1291|113.2644|15300
Guangdong|Shenzhen|518000|22.5431|114.0579|12500
Guangdong|Dongguan|523000|23.0207|113.7518|8300
Guangdong|Foshan|528000|23.0215|113.1214|7200
Guangdong|Huizhou|516000|23.1115|114.4152|2600
Guangdong|Zhongshan|528400|22.5176|113.3928|3100
Guangdong|Shantou|515000|23.3541|116.6819|5500
Guangdong|Zhanjiang|524000|21.2707|110.3594|3600
Shanghai|Shanghai|200000|31.2304|121.4737|24900
Beijing|Beijing|100000|39.9042|116.4074|20500
Tianjin|Tianjin|300000|39.3434|117.3616|13800
Chongqing|Chongqing|400000|29.563|106.5516|16300
Sichuan|Chengdu|610000|30.5728|104.0668|14600
Sichuan|Mianyang|621000|31.4675|104.6796|4800
Sichuan|Nanchong|637000|30.8373|106.1107|5600
Sichuan|Dazhou|635000|31.2096|107.468|5300
Hubei|Wuhan|430000|30.5928|114.3055|12300
Hubei|Xiangyang|441000|32.009|112.1226|5200
Hubei|Yichang|443000|30.6919|111.2865|4000
Zhejiang|Hangzhou|310000|30.2741|120.1551|11900
Zhejiang|Ningbo|315000|29.8683|121.544|9400
Zhejiang|Wenzhou|325000|27.9938|120.6993|9500
Zhejiang|Jiaxing|314000|30.7461|120.755|5400
Jiangsu|Nanjing|210000|32.0603|118.7969|9300
Jiangsu|Suzhou|215000|31.2989|120.5853|12700
Jiangsu|Wuxi|214000|31.4912|120.3119|7400
Jiangsu|Xuzhou|221000|34.2044|117.2859|9000
Jiangsu|Nantong|226000|31.9802|120.8943|7700
Shandong|Jinan|250000|36.6512|117.1201|9200
Shandong|Qingdao|266000|36.0671|120.3826|10000
Shandong|Linyi|276000|35.1047|118.3564|11000
Shandong|Yantai|264000|37.4638|121.4479|7100
Shandong|Weifang|261000|36.7069|119.1618|9400
Shaanxi|Xi'an|710000|34.3416|108.9398|12900
Shaanxi|Xianyang|712000|34.3296|108.709|4300
Henan|Zhengzhou|450000|34.7466|113.6254|12600
Henan|Nanyang|473000|32.9908|112.5283|9700
Henan|Luoyang|471000|34.6197|112.454|7000
Henan|Zhoukou|466000|33.6259|114.6969|9000
Hunan|Changsha|410000|28.2282|112.9388|10000
Hunan|Hengyang|421000|26.8968|112.572|6600
Hunan|Shaoyang|422000|27.2389|111.4677|6500
Liaoning|Shenyang|110000|41.8057|123.4315|9000
Liaoning|Dalian|116000|38.914|121.6147|7400
Heilongjiang|Harbin|150000|45.8038|126.535|10000
Jilin|Changchun|130000|43.8171|125.3235|9000
Fujian|Fuzhou|350000|26.0745|119.2965|8300
Fujian|Xiamen|361000|24.4798|118.0894|5100
Fujian|Quanzhou|362000|24.8741|118.6757|8700
Anhui|Hefei|230000|31.8206|117.2272|9300
Anhui|Fuyang|236000|32.8903|115.8142|8200
Hebei|Shijiazhuang|050000|38.0428|114.5149|11000
Hebei|Baoding|071000|38.8739|115.4646|11500
Hebei|Handan|056000|36.6256|114.5391|9400
Yunnan|Kunming|650000|24.8801|102.8329|8400
Guangxi|Nanning|530000|22.817|108.3669|8700
Jiangxi|Nanchang|330000|28.682|115.8579|6200
Jiangxi|Ganzhou|341000|25.831|114.935|8900
Shanxi|Taiyuan|030000|37.8706|112.5489|5300
Guizhou|Guiyang|550000|26.647|106.6302|5900
Inner Mongolia|Hohhot|010000|40.8414|111.7519|3400
Xinjiang|Urumqi|830000|43.8256|87.6168|4000
Gansu|Lanzhou|730000|36.0611|103.8343|4300
Hainan|Haikou|570000|20.044|110.1983|2800`,
  'United States': `
California|Los Angeles|90012|34.0522|-118.2437|3900
California|San Diego|92101|32.7157|-117.1611|1390
California|San Jose|95113|37.3382|-121.8863|1010
California|San Francisco|94103|37.7749|-122.4194|870
California|Fresno|93721|36.7378|-119.7871|540
California|Sacramento|95814|38.5816|-121.4944|525
California|Long Beach|90802|33.7701|-118.1937|466
California|Oakland|94612|37.8044|-122.2712|440
California|Bakersfield|93301|35.3733|-119.0187|403
Texas|Houston|77002|29.7604|-95.3698|2300
Texas|San Antonio|78205|29.4241|-98.4936|1430
Texas|Dallas|75201|32.7767|-96.797|1300
Texas|Austin|78701|30.2672|-97.7431|960
Texas|Fort Worth|76102|32.7555|-97.3308|920
Texas|El Paso|79901|31.7619|-106.485|680
New York|New York|10001|40.7506|-73.9972|6800
New York|Buffalo|14202|42.8864|-78.8784|278
New York|Rochester|14604|43.1566|-77.6088|211
Florida|Jacksonville|32202|30.3322|-81.6557|950
Florida|Miami|33128|25.7617|-80.1918|1240
Florida|Tampa|33602|27.9506|-82.4572|885
Florida|Orlando|32801|28.5383|-81.3792|807
Illinois|Chicago|60602|41.8781|-87.6298|2750
Illinois|Aurora|60505|41.7606|-88.3201|180
Pennsylvania|Philadelphia|19107|39.9526|-75.1652|1600
Pennsylvania|Pittsburgh|15222|40.4406|-79.9959|303
Ohio|Columbus|43215|39.9612|-82.9988|905
Ohio|Cleveland|44113|41.4993|-81.6944|373
Ohio|Cincinnati|45202|39.1031|-84.512|309
Georgia|Atlanta|30303|33.749|-84.388|1500
Georgia|Savannah|31401|32.0809|-81.0912|148
North Carolina|Charlotte|28202|35.2271|-80.8431|875
North Carolina|Raleigh|27601|35.7796|-78.6382|468
Michigan|Detroit|48226|42.3314|-83.0458|1040
Michigan|Grand Rapids|49503|42.9634|-85.6681|199
New Jersey|Newark|07102|40.7357|-74.1724|912
Virginia|Virginia Beach|23451|36.8529|-75.978|859
Virginia|Richmond|23219|37.5407|-77.436|427
Washington|Seattle|98101|47.6062|-122.3321|1137
Washington|Spokane|99201|47.6588|-117.426|229
Arizona|Phoenix|85003|33.4484|-112.074|1610
Arizona|Tucson|85701|32.2226|-110.9747|543
Massachusetts|Boston|02108|42.3601|-71.0589|975
Massachusetts|Worcester|01608|42.2626|-71.8023|206
Tennessee|Nashville|37203|36.1627|-86.7816|690
Tennessee|Memphis|38103|35.1495|-90.049|633
Indiana|Indianapolis|46204|39.7684|-86.1581|888
Missouri|Kansas City|64106|39.0997|-94.5786|808
Maryland|Baltimore|21202|39.2904|-76.6122|886
Wisconsin|Milwaukee|53202|43.0389|-87.9065|877
Colorado|Denver|80202|39.7392|-104.9903|815
Minnesota|Minneapolis|55401|44.9778|-93.265|830
South Carolina|Charleston|29401|32.7765|-79.9311|550
Alabama|Mobile|36602|30.6954|-88.0399|487
Louisiana|New Orleans|70112|29.9511|-90.0715|584
Kentucky|Louisville|40202|38.2527|-85.7585|633
Oregon|Portland|97204|45.5152|-122.6784|652
Oklahoma|Oklahoma City|73102|35.4676|-97.5164|681
Nevada|Las Vegas|89101|36.1699|-115.1398|642
Utah|Salt Lake City|84101|40.7608|-111.891|500
New Mexico|Albuquerque|87102|35.0844|-106.6504|564
Hawaii|Honolulu|96813|21.3069|-157.8583|351`,
  Brasil: `
São Paulo|São Paulo|01001-000|-23.5505|-46.6333|5600
São Paulo|Guarulhos|07010-000|-23.4538|-46.5333|1290
São Paulo|Campinas|13010-000|-22.9056|-47.0608|1140
São Paulo|Ribeirão Preto|14010-000|-21.1699|-47.8099|700
São Paulo|Sorocaba|18010-000|-23.5015|-47.4526|720
Rio de Janeiro|Rio de Janeiro|20010-000|-22.9068|-43.1729|4900
Rio de Janeiro|São Gonçalo|24400-000|-22.8268|-43.0634|900
Rio de Janeiro|Niterói|24020-000|-22.8832|-43.1034|480
Minas Gerais|Belo Horizonte|30110-000|-19.9167|-43.9345|2300
Minas Gerais|Uberlândia|38400-000|-18.9186|-48.2772|710
Minas Gerais|Contagem|32010-000|-19.9321|-44.0539|620
Bahia|Salvador|40010-000|-12.9777|-38.5016|2400
Bahia|Feira de Santana|44001-000|-12.2664|-38.9663|615
Ceará|Fortaleza|60010-000|-3.7319|-38.5267|2430
Paraná|Curitiba|80010-000|-25.4284|-49.2733|1770
Paraná|Londrina|86010-000|-23.3045|-51.1696|555
Rio Grande do Sul|Porto Alegre|90010-000|-30.0346|-51.2177|1330
Rio Grande do Sul|Caxias do Sul|95010-000|-29.1634|-51.1797|463
Pernambuco|Recife|50010-000|-8.0476|-34.877|1490
Pernambuco|Jaboatão dos Guararapes|54080-000|-8.1127|-35.0147|644
Amazonas|Manaus|69005-000|-3.119|-60.0217|2060
Pará|Belém|66010-000|-1.4558|-48.4902|1300
Goiás|Goiânia|74003-010|-16.6869|-49.2648|1440
Distrito Federal|Brasília|70040-010|-15.7939|-47.8828|2820
Santa Catarina|Joinville|89201-000|-26.3045|-48.8487|616
Santa Catarina|Florianópolis|88010-000|-27.5949|-48.5482|537
Maranhão|São Luís|65010-000|-2.5307|-44.3068|1040
Alagoas|Maceió|57020-000|-9.6498|-35.7089|958
Rio Grande do Norte|Natal|59010-000|-5.7945|-35.211|751
Paraíba|João Pessoa|58010-000|-7.1195|-34.845|834
Piauí|Teresina|64000-010|-5.0892|-42.8019|866
Mato Grosso do Sul|Campo Grande|79002-000|-20.4697|-54.6201|898
Mato Grosso|Cuiabá|78005-000|-15.601|-56.0974|650
Espírito Santo|Vitória|29010-000|-20.3155|-40.3128|323
Sergipe|Aracaju|49010-000|-10.9472|-37.0731|603`,
  'South Korea': `
Seoul|Seoul|04524|37.5665|126.978|9400
Busan|Busan|47545|35.1796|129.0756|3350
Incheon|Incheon|21554|37.4563|126.7052|2950
Daegu|Daegu|41911|35.8714|128.6014|2390
Daejeon|Daejeon|35242|36.3504|127.3845|1450
Gwangju|Gwangju|61945|35.1595|126.8526|1440
Ulsan|Ulsan|44675|35.5384|129.3114|1110
Gyeonggi-do|Suwon|16490|37.2636|127.0286|1190
Gyeonggi-do|Seongnam|13437|37.42|127.1267|930
Gyeonggi-do|Goyang|10408|37.6584|126.832|1080
Gyeongsangnam-do|Changwon|51435|35.228|128.6811|1020
Chungcheongbuk-do|Cheongju|28524|36.6424|127.489|850
Jeollabuk-do|Jeonju|54994|35.8242|127.148|650
Jeju-do|Jeju|63208|33.4996|126.5312|490`,
  France: `
Île-de-France|Paris|75001|48.8566|2.3522|2130
Île-de-France|Boulogne-Billancourt|92100|48.8397|2.2399|121
Île-de-France|Saint-Denis|93200|48.9362|2.3574|113
Provence-Alpes-Côte d'Azur|Marseille|13001|43.2965|5.3698|870
Provence-Alpes-Côte d'Azur|Nice|06000|43.7102|7.262|342
Provence-Alpes-Côte d'Azur|Toulon|83000|43.1242|5.928|180
Auvergne-Rhône-Alpes|Lyon|69001|45.764|4.8357|522
Auvergne-Rhône-Alpes|Grenoble|38000|45.1885|5.7245|158
Auvergne-Rhône-Alpes|Saint-Étienne|42000|45.4397|4.3872|173
Occitanie|Toulouse|31000|43.6047|1.4442|498
Occitanie|Montpellier|34000|43.6108|3.8767|299
Pays de la Loire|Nantes|44000|47.2184|-1.5536|320
Grand Est|Strasbourg|67000|48.5734|7.7521|290
Grand Est|Reims|51100|49.2583|4.0317|181
Nouvelle-Aquitaine|Bordeaux|33000|44.8378|-0.5792|260
Hauts-de-France|Lille|59000|50.6292|3.0573|236
Bretagne|Rennes|35000|48.1173|-1.6778|222
Normandie|Le Havre|76600|49.4944|0.1079|166
Bourgogne-Franche-Comté|Dijon|21000|47.322|5.0415|159`,
  'United Kingdom': `
England|London|EC1A|51.5074|-0.1278|3300
England|Birmingham|B1|52.4862|-1.8904|1140
England|Manchester|M1|53.4808|-2.2426|550
England|Leeds|LS1|53.8008|-1.5491|790
England|Liverpool|L1|53.4084|-2.9916|500
England|Sheffield|S1|53.3811|-1.4701|580
England|Bristol|BS1|51.4545|-2.5879|470
England|Newcastle upon Tyne|NE1|54.9783|-1.6178|300
England|Nottingham|NG1|52.9548|-1.1581|330
England|Leicester|LE1|52.6369|-1.1398|360
England|Southampton|SO14|50.9097|-1.4044|255
England|Norwich|NR1|52.6309|1.2974|144
Scotland|Glasgow|G1|55.8642|-4.2518|420
Scotland|Edinburgh|EH1|55.9533|-3.1883|340
Scotland|Aberdeen|AB10|57.1497|-2.0943|130
Wales|Cardiff|CF10|51.4816|-3.1791|260
Northern Ireland|Belfast|BT1|54.5973|-5.9301|230`,
  Germany: `
Berlin|Berlin|10115|52.52|13.405|3680
Hamburg|Hamburg|20095|53.5511|9.9937|1850
Bayern|München|80331|48.1351|11.582|1490
Bayern|Nürnberg|90402|49.4521|11.0767|510
Bayern|Augsburg|86150|48.3705|10.8978|296
Nordrhein-Westfalen|Köln|50667|50.9375|6.9603|1070
Nordrhein-Westfalen|Düsseldorf|40213|51.2277|6.7735|620
Nordrhein-Westfalen|Dortmund|44135|51.5136|7.4653|587
Nordrhein-Westfalen|Essen|45127|51.4556|7.0116|580
Hessen|Frankfurt am Main|60311|50.1109|8.6821|760
Baden-Württemberg|Stuttgart|70173|48.7758|9.1829|630
Baden-Württemberg|Mannheim|68159|49.4875|8.466|310
Sachsen|Leipzig|04109|51.3397|12.3731|600
Sachsen|Dresden|01067|51.0504|13.7373|556
Niedersachsen|Hannover|30159|52.3759|9.732|535
Bremen|Bremen|28195|53.0793|8.8017|563
Schleswig-Holstein|Kiel|24103|54.3233|10.1228|246`,
  Spain: `
Comunidad de Madrid|Madrid|28001|40.4168|-3.7038|3300
Comunidad de Madrid|Móstoles|28931|40.3223|-3.865|210
Cataluña|Barcelona|08001|41.3851|2.1734|1640
Cataluña|L'Hospitalet de Llobregat|08901|41.3662|2.1165|265
Comunidad Valenciana|Valencia|46001|39.4699|-0.3763|790
Comunidad Valenciana|Alicante|03001|38.3452|-0.481|337
Andalucía|Sevilla|41001|37.3891|-5.9845|684
Andalucía|Málaga|29001|36.7213|-4.4214|579
Andalucía|Córdoba|14001|37.8882|-4.7794|322
Aragón|Zaragoza|50001|41.6488|-0.8891|673
Murcia|Murcia|30001|37.9922|-1.1307|460
Islas Baleares|Palma|07001|39.5696|2.6502|415
País Vasco|Bilbao|48001|43.263|-2.935|346
Canarias|Las Palmas de Gran Canaria|35001|28.1235|-15.4363|378
Castilla y León|Valladolid|47001|41.6523|-4.7245|297
Galicia|Vigo|36201|42.2406|-8.7207|293`,
  Japan: `
Tokyo|Tokyo|100-0001|35.6762|139.6503|9700
Tokyo|Hachioji|192-0051|35.6664|139.316|580
Kanagawa|Yokohama|220-0011|35.4437|139.638|3770
Kanagawa|Kawasaki|210-0007|35.5308|139.7029|1540
Osaka|Osaka|530-0001|34.6937|135.5023|2750
Osaka|Sakai|590-0078|34.5733|135.483|825
Aichi|Nagoya|450-0002|35.1815|136.9066|2330
Hokkaido|Sapporo|060-0001|43.0618|141.3545|1970
Fukuoka|Fukuoka|810-0001|33.5904|130.4017|1610
Fukuoka|Kitakyushu|802-0001|33.8834|130.8751|940
Hyogo|Kobe|650-0021|34.6901|135.1956|1520
Kyoto|Kyoto|600-8216|35.0116|135.7681|1460
Saitama|Saitama|330-0063|35.8617|139.6455|1320
Hiroshima|Hiroshima|730-0011|34.3853|132.4553|1200
Miyagi|Sendai|980-0021|38.2682|140.8694|1090
Chiba|Chiba|260-0013|35.6073|140.1063|975`,
  Australia: `
New South Wales|Sydney|2000|-33.8688|151.2093|5300
New South Wales|Newcastle|2300|-32.9283|151.7817|320
New South Wales|Wollongong|2500|-34.4278|150.8931|300
Victoria|Melbourne|3000|-37.8136|144.9631|5080
Victoria|Geelong|3220|-38.1499|144.3617|290
Queensland|Brisbane|4000|-27.4698|153.0251|2560
Queensland|Gold Coast|4217|-28.0167|153.4|700
Queensland|Cairns|4870|-16.9186|145.7781|155
Western Australia|Perth|6000|-31.9505|115.8605|2140
South Australia|Adelaide|5000|-34.9285|138.6007|1390
Australian Capital Territory|Canberra|2600|-35.2809|149.13|456
Tasmania|Hobart|7000|-42.8821|147.3272|250
Northern Territory|Darwin|0800|-12.4634|130.8456|150`,
  Belgium: `
Bruxelles|Bruxelles|1000|50.8503|4.3517|1220
Vlaanderen|Antwerpen|2000|51.2194|4.4025|530
Vlaanderen|Gent|9000|51.0543|3.7174|265
Vlaanderen|Brugge|8000|51.2093|3.2247|118
Vlaanderen|Leuven|3000|50.8798|4.7005|102
Wallonie|Charleroi|6000|50.4108|4.4446|202
Wallonie|Liège|4000|50.6326|5.5797|196
Wallonie|Namur|5000|50.4674|4.8719|112`,
  Poland: `
Mazowieckie|Warszawa|00-001|52.2297|21.0122|1860
Małopolskie|Kraków|30-001|50.0647|19.945|800
Łódzkie|Łódź|90-001|51.7592|19.456|660
Dolnośląskie|Wrocław|50-001|51.1079|17.0385|673
Wielkopolskie|Poznań|60-001|52.4064|16.9252|540
Pomorskie|Gdańsk|80-001|54.352|18.6466|486
Zachodniopomorskie|Szczecin|70-001|53.4285|14.5528|391
Lubelskie|Lublin|20-001|51.2465|22.5684|331`,
  Colombia: `
Bogotá D.C.|Bogotá|110111|4.711|-74.0721|7900
Antioquia|Medellín|050001|6.2442|-75.5812|2530
Valle del Cauca|Cali|760001|3.4516|-76.532|2280
Atlántico|Barranquilla|080001|10.9685|-74.7813|1310
Bolívar|Cartagena|130001|10.391|-75.4794|1040
Santander|Bucaramanga|680001|7.1193|-73.1227|610`,
  Austria: `
Wien|Wien|1010|48.2082|16.3738|1980
Steiermark|Graz|8010|47.0707|15.4395|298
Oberösterreich|Linz|4020|48.3069|14.2858|210
Salzburg|Salzburg|5020|47.8095|13.055|156
Tirol|Innsbruck|6020|47.2692|11.4041|131`,
}
